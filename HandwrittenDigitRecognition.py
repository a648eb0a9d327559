"""Handwritten digits with neural networks, in one file that is made to be read from top to bottom.

    python HandwrittenDigitRecognition.py                      train the multilayer perceptron (MLP)
    python HandwrittenDigitRecognition.py cnn --kernel-size 5  train the convolutional network (CNN)
    python HandwrittenDigitRecognition.py --predict seven.jpg  read a picture with what was trained before
    python HandwrittenDigitRecognition.py --help               everything else

First come the layers of the networks, then their training, then their evaluation, then the command line.
digitlab brings the images, keeps the trained networks and runs studies; all that learns is in this file,
which began as the classroom project of Nizar Zerouale.
"""

import sys
import time
from pathlib import Path

try:
    import numpy as np

    from digitlab.errors import UserError
except ImportError:
    sys.exit(
        "digitlab is not installed in this Python. Run  make setup  once, then start me with\n"
        "    .venv/bin/python HandwrittenDigitRecognition.py\n"
        '(without make:  python -m venv .venv  and  .venv/bin/pip install -e ".[all]"  in this folder)'
    )

# Keras and TensorFlow take seconds to load, so each function that needs them imports them itself.

KEPT = Path("digitlab-results", "script")  # the networks that were trained last, a folder each


# ---- The networks: each is a list of layers; the output of one layer is the input of the next. ----


def build_mlp(neurons=128):
    """Build a multilayer perceptron: each neuron sees all numbers of the layer before it."""
    from keras import Sequential, layers

    return Sequential(
        [
            layers.Input((28, 28)),  # one image: 28 rows of 28 pixels, 0 (black) to 255 (white ink)
            # 0..1, to suit the small weights at the start: pixels up to 255 would make sums far too large.
            layers.Rescaling(1 / 255),
            layers.Flatten(),  # [784]: the rows one after another
            # [128]: each neuron multiplies every pixel by a weight of its own and adds them up; relu makes
            # negative sums 0. Without it, two layers would be one weighted sum again, no better than one.
            layers.Dense(neurons, activation="relu"),
            # [10]: a score for each digit, which softmax turns into probabilities: positive, with sum 1.
            layers.Dense(10, activation="softmax"),
        ]
    )


def build_cnn(kernel_size=3, neurons=128):
    """Build a convolutional network: small filters look for the same strokes all over the image."""
    from keras import Sequential, layers

    return Sequential(
        [
            layers.Input((28, 28)),
            layers.Rescaling(1 / 255),
            layers.Reshape((28, 28, 1)),  # one channel, grey; a colour image has three
            # [26, 26, 8]: 8 filters slide over the image, and each makes a map of where it fits. A filter's
            # 3x3 weights are the same everywhere, so there are only 8 * (3 * 3 + 1) = 80, with the biases.
            layers.Conv2D(8, kernel_size, activation="relu"),
            layers.MaxPooling2D(2),  # [13, 13, 8]: the largest of 2x2 values; a pixel's shift matters less
            # In training a fifth of the values, others each time, become 0: no neuron can rely on one alone.
            layers.Dropout(0.2),
            layers.Flatten(),  # [1352]
            layers.Dense(neurons, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def build_deep_cnn():
    """Build a deeper convolutional network: the second filters look for patterns in the maps of the first."""
    from keras import Sequential, layers

    return Sequential(
        [
            layers.Input((28, 28)),
            layers.Rescaling(1 / 255),
            layers.Reshape((28, 28, 1)),
            layers.Conv2D(30, 5, activation="relu"),  # [24, 24, 30]
            layers.MaxPooling2D(2),  # [12, 12, 30]
            layers.Conv2D(15, 3, activation="relu"),  # [10, 10, 15]
            layers.MaxPooling2D(2),  # [5, 5, 15]
            layers.Dropout(0.2),
            layers.Flatten(),  # [375]
            layers.Dense(128, activation="relu"),
            layers.Dense(50, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


# ---- Training: look at some images, and change the weights a little so that the network errs less. ----


def train(network, training, validation, epochs, batch_size, loss):
    """Train a network, and print a line after each epoch.

    Args:
        network: network with random weights, which are changed.
        training: images to learn from, uint8 [n, 28, 28], and their labels, uint8 [n].
        validation: images and labels on which the network is evaluated after each epoch.
        epochs: number of times that all training images are seen.
        batch_size: images of one step.
        loss: number that training makes small: "crossentropy", or "mse" for the mean squared error.

    Returns:
        Accuracy on the training and on the validation images in each epoch, 0..1, as pairs.
    """
    import keras
    import tensorflow as tf

    # Adam takes steps of about this size for each weight, and adapts them to its past gradients.
    optimizer = keras.optimizers.Adam(learning_rate=0.001)

    @tf.function  # compiled by TensorFlow, which makes it several times faster
    def train_batch(images, labels):
        truth = tf.one_hot(labels, 10)  # [batch, 10]: the label 3 becomes 0 0 0 1 0 0 0 0 0 0
        with tf.GradientTape() as tape:  # records the computation, to find the gradients afterwards
            probabilities = network(images, training=True)  # [batch, 10]
            if loss == "crossentropy":
                # -ln of the true digit's probability: 0 where it is 1, large where it is nearly 0, so that
                # mistakes made with confidence cost most. 1e-7 keeps the logarithm finite.
                losses = -tf.reduce_sum(truth * tf.math.log(probabilities + 1e-7), axis=1)  # [batch]
            else:
                # The squared distance from the truth. It hardly changes where the network is certain of a
                # wrong digit, so that it learns little from its worst mistakes.
                losses = tf.reduce_mean((probabilities - truth) ** 2, axis=1)  # [batch]
            mean_loss = tf.reduce_mean(losses)
        # How the loss changes as each weight grows: the optimizer moves each weight the other way.
        gradients = tape.gradient(mean_loss, network.trainable_variables)
        optimizer.apply(gradients, network.trainable_variables)
        return losses, probabilities

    images, labels = training
    accuracies = []
    for epoch in range(1, epochs + 1):
        start = time.perf_counter()
        total_loss = correct = 0
        # Another order each time: else the same images would always share a batch.
        order = np.random.permutation(len(images))
        # A step for each image would follow that image alone, and one for all of them would be a single step
        # an epoch. A batch is between the two: 55,000 images in batches of 200 make 275 steps.
        for i in range(0, len(images), batch_size):
            batch = order[i : i + batch_size]
            losses, probabilities = train_batch(images[batch], labels[batch])
            total_loss += losses.numpy().sum()
            correct += (probabilities.numpy().argmax(axis=1) == labels[batch]).sum()
        # Counted while the network changed, and with dropout; on the validation images without it.
        accuracy = correct / len(images)
        predictions = classify(network, validation[0]).argmax(axis=1)
        validation_accuracy = (predictions == validation[1]).mean()
        accuracies.append((accuracy, validation_accuracy))
        print(
            f"  epoch {epoch:2} of {epochs}   {time.perf_counter() - start:4.1f} s   "
            f"loss {total_loss / len(images):.4f}   accuracy {100 * accuracy:.2f} %   "
            f"validation {100 * validation_accuracy:.2f} %",
            flush=True,
        )
    return accuracies


# ---- Evaluation: what the network answers for images that it has never seen. ----


def classify(network, images):
    """Return the probability of each digit for each image, float32 [n, 10]."""
    return network.predict(images, batch_size=1000, verbose=0)


def train_and_predict_mlp(epochs=10, batch_size=200, neurons=128, loss="crossentropy", seed=0, plot=None):
    """Train and evaluate the multilayer perceptron (MLP): one hidden layer."""
    return train_and_predict("mlp", build_mlp, {"neurons": neurons}, epochs, batch_size, loss, seed, plot)


def train_and_predict_cnn(
    epochs=5, batch_size=200, kernel_size=3, neurons=128, loss="crossentropy", seed=0, plot=None
):
    """Train and evaluate the convolutional network (CNN): 8 filters, pooling, a dense layer."""
    arguments = {"kernel_size": kernel_size, "neurons": neurons}
    return train_and_predict("cnn", build_cnn, arguments, epochs, batch_size, loss, seed, plot)


def train_and_predict_deep_cnn(epochs=10, batch_size=200, loss="crossentropy", seed=0, plot=None):
    """Train and evaluate the deeper one: two convolutions with pooling, two dense layers."""
    return train_and_predict("deep-cnn", build_deep_cnn, {}, epochs, batch_size, loss, seed, plot)


def train_and_predict(name, build, arguments, epochs, batch_size, loss, seed, plot):
    """Build a network, train it, evaluate it on the test set, and keep it for `--predict`.

    Args:
        name: name under which the network is kept.
        build: function that builds the network.
        arguments: arguments of that function, by name.
        epochs: number of times that all training images are seen.
        batch_size: images of one step.
        loss: number that training makes small: "crossentropy" or "mse" (mean squared error).
        seed: seed of the weights and of the order of the images; another seed gives another network.
        plot: PNG file for a picture of the training and of misread digits; None for no picture.

    Returns:
        The digits that the network reads in the 10,000 test images, uint8 [10000].
    """
    from digitlab.data import load, stratified_split
    from digitlab.spec import Recipe, model_from_function
    from digitlab.training import keep_network
    from digitlab.training.process import prepare_process

    # The description of the network that is kept with it; digitlab checks the settings at once.
    model = model_from_function(build, "probabilities", **arguments)
    settings = {"epochs": epochs, "batch_size": batch_size, "loss": loss}
    recipe = Recipe.from_values({"name": f"script-{name}", "model": model, "training": settings}, name)

    prepare_process(threads=1)  # with one thread, the same seed gives the same network, bit for bit
    import keras

    keras.utils.set_random_seed(seed)  # for the weights at the start, the order of the images, and dropout
    network = build(**arguments)

    # The network learns from 55,000 of MNIST's training images. It may know these by heart, so the other
    # 5,000 show, after each epoch, how it reads new ones. The 10,000 test images are used once, at the end:
    # if settings were chosen by them, the result would be too good to be true.
    mnist = load("mnist")
    learned, held_out = stratified_split(mnist.y_train, 5_000, seed=28)
    training = mnist.x_train[learned], mnist.y_train[learned]
    validation = mnist.x_train[held_out], mnist.y_train[held_out]

    print(f"Training {name}: {network.count_params():,} weights, {len(learned):,} images")
    start = time.perf_counter()
    accuracies = train(network, training, validation, epochs, batch_size, loss)
    seconds = time.perf_counter() - start

    probabilities = classify(network, mnist.x_test)
    predictions = probabilities.argmax(axis=1).astype(np.uint8)  # the most probable digit of each image
    print_evaluation(probabilities, predictions, mnist.x_test, mnist.y_test)
    made = f"trained once, by the loop of {Path(__file__).name}"
    keep_network(KEPT / name, network, recipe, mnist, seed=seed, seconds=seconds, made=made)
    print(f"Network kept in {KEPT / name}: read a picture with it by  --predict FILE")
    if plot:
        from digitlab.report import save_training_plot

        save_training_plot(plot, accuracies, mnist.x_test, mnist.y_test, predictions)
        print(f"Plot saved to {plot}")
    return predictions


def print_evaluation(probabilities, predictions, images, labels):
    """Print the scores on the test set, the first answers, and the first digits that are misread."""
    accuracy = (predictions == labels).mean()
    squared_error = np.square(probabilities - np.eye(10)[labels]).mean()
    print()
    print(f"Test accuracy       {100 * accuracy:.2f} %")
    print(f"Error rate          {100 * (1 - accuracy):.2f} %")
    print(f"Mean squared error  {squared_error:.5f}")
    print()
    print("The first test digits  ", *labels[:20])
    print("are read as            ", *predictions[:20])
    wrong = np.flatnonzero(predictions != labels)
    print(f"{len(wrong):,} of {len(labels):,} are misread, the first of them:")
    print_digits(images[wrong[:3]])
    captions = [f"{labels[i]} read as {predictions[i]}, {probabilities[i].max():.0%} sure" for i in wrong[:3]]
    print(" ".join(f"{caption:24}" for caption in captions))
    print()


def print_digits(images):
    """Print images side by side, a character for two pixels, since characters are twice as high as wide."""
    for row in range(4, 24, 2):  # MNIST's ink lies in the middle 20x20 pixels
        ink = images[:, row : row + 2, 2:26].max(axis=1)  # [images, 24] in 0..255
        print(" ".join("".join(" .:*#"[value // 52] for value in line) for line in ink))


def predict(path, names):
    """Read a picture with those of the named networks that were trained before, and print what they read."""
    from digitlab import Recognizer

    kept = [name for name in names if (KEPT / name).is_dir()]
    if not kept:
        raise UserError(
            f"--predict: expected a network in {KEPT}, found none: start me without --predict first"
        )
    for name in kept:
        # digitlab's recognizer finds the digits, and reads them with a network for whole rows and with ours.
        reading = Recognizer(KEPT / name).read(path)
        if not reading.text:
            print(f"{name:9} no digit: {reading.reason}")
            continue
        by_itself = []  # what our network answers for each digit, cut out and brought into the form of MNIST
        for digit in reading.digits:
            ours = digit.opinions
            if ours:
                by_itself.append(f"{ours.form_digit} ({ours.form_probability:.1%})")
        text = " / ".join(reading.text.split("\n"))
        print(f"{name:9} {text}   by itself: {', '.join(by_itself)}")


NETWORKS = {
    "mlp": train_and_predict_mlp,
    "cnn": train_and_predict_cnn,
    "deep-cnn": train_and_predict_deep_cnn,
}

# Worker processes of a study import this file again; without this line each would start the study anew.
if __name__ == "__main__":
    from digitlab.cli.script import start_script

    start_script(NETWORKS, predict)
