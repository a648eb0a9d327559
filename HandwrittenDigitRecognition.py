"""Handwritten digits with neural networks: train, evaluate, predict.

    python HandwrittenDigitRecognition.py              the multilayer perceptron (MLP)
    python HandwrittenDigitRecognition.py cnn          the convolutional network (CNN)
    python HandwrittenDigitRecognition.py --predict my-seven.jpg
                                                       read a picture with the networks trained before
    python HandwrittenDigitRecognition.py --help       everything else

The networks and their training are described by recipes: `src/digitlab/recipes/mlp.toml` and `cnn.toml`.
"""

import argparse
import importlib.util
import io
import shutil
import sys
from pathlib import Path

try:
    import numpy as np

    from digitlab.errors import DigitlabError, MissingExtraError
except ImportError:
    sys.exit(
        "digitlab is not installed in this Python. Run  make setup  once, then start me with\n"
        "    .venv/bin/python HandwrittenDigitRecognition.py\n"
        '(without make:  python -m venv .venv  and  .venv/bin/pip install -e ".[all]"  in this folder)'
    )

NETWORKS = {
    "mlp": "one hidden layer of 128 neurons",
    "cnn": "8 convolution filters of 3x3, max pooling, dropout, a dense layer of 128 neurons",
    "deep-cnn": "two convolution blocks and two dense layers",
}
STUDIES = {
    "classroom": "all of the following, as one",
    "mlp-neurons": "how wide must the hidden layer be? 8 to 1024 neurons",
    "mlp-batch-size": "what does the batch size do to error, and to time? 32 to 1024 images",
    "mlp-loss": "accuracy versus mean squared error: which loss should be minimized?",
    "cnn-kernel-size": "which size of convolution kernel? 1 to 9 pixels",
    "cnn-dense-neurons": "how wide must the dense layer be? 16 to 512 neurons",
    "cnn-epochs": "how long must a convolutional network train? 1 to 20 epochs",
    "cnn-dense-by-epochs": "do width and epochs interact?",
    "architectures": "is a CNN better than an MLP, and a deeper CNN better still?",
}

KEPT = Path("digitlab-results", "script")  # the networks that this script trained last, a folder each


def train_and_predict_mlp(epochs=10, batch_size=200, neurons=128, seed=0, plot=None):
    """Train the MLP, evaluate it on the test set, and return the digits that it predicts there.

    Args:
        epochs: passes over the training images.
        batch_size: images in one step of the optimizer.
        neurons: in the hidden layer.
        seed: another seed gives another network of the same kind.
        plot: PNG file for a picture of the training and of misread digits; None for no picture.

    Returns:
        The predicted digits of the 10,000 test images, uint8 [10000].
    """
    settings = {"training.epochs": epochs, "training.batch_size": batch_size, "model.hidden.0": neurons}
    return train_and_predict("mlp", settings, seed, plot)


def train_and_predict_cnn(epochs=5, batch_size=200, kernel_size=3, neurons=128, seed=0, plot=None):
    """Train the CNN, evaluate it on the test set, and return the digits that it predicts there.

    Args:
        epochs: passes over the training images.
        batch_size: images in one step of the optimizer.
        kernel_size: side of the convolution kernel, in pixels.
        neurons: in the dense layer.
        seed: another seed gives another network of the same kind.
        plot: PNG file for a picture of the training and of misread digits; None for no picture.

    Returns:
        The predicted digits of the 10,000 test images, uint8 [10000].
    """
    settings = {
        "training.epochs": epochs,
        "training.batch_size": batch_size,
        "model.convolutions.0.kernel_size": kernel_size,
        "model.dense.0": neurons,
    }
    return train_and_predict("cnn", settings, seed, plot)


def train_and_predict(recipe, settings, seed=0, plot=None):
    """Train the network of a recipe with some settings changed, evaluate it, and return its predictions."""
    from digitlab import load_dataset, train
    from digitlab.marks import Mark, replaced_by

    if plot:
        replaced_by(Mark("plot"), plot)  # refuses any file but a plot of ours
    print(f"Training {recipe}: {NETWORKS[recipe]}")
    trained = train(recipe, settings=settings, seed=seed, on_epoch=print_epoch)

    # The network takes raw images, 0..255, and gives ten probabilities for each.
    (_, _), (x_test, y_test) = load_dataset("mnist")
    probabilities = trained.model.predict(x_test, batch_size=1000, verbose=0)
    predictions = probabilities.argmax(axis=1).astype(np.uint8)

    accuracy = (predictions == y_test).mean()
    mse = np.square(probabilities - np.eye(10)[y_test]).mean()
    print(f"Test accuracy       {100 * accuracy:.2f} %")
    print(f"Error rate          {100 * (1 - accuracy):.2f} %")
    print(f"Mean squared error  {mse:.5f}")
    if plot:
        save_plot(plot, trained.result.history, x_test, y_test, predictions)
        print(f"Plot saved to {plot}")
    keep(recipe, trained)
    return predictions


def keep(recipe, trained):
    """Keep a trained network for `--predict`, in place of the one of its recipe that was kept before."""
    from digitlab.bundle import write_trained
    from digitlab.data import load

    folder, fresh = KEPT / recipe, KEPT / "new" / recipe
    shutil.rmtree(fresh, ignore_errors=True)  # one that was stopped while it was written
    write_trained(fresh, trained.model, trained.result, load("mnist"))
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
    fresh.parent.rmdir()
    print(f"Network kept in {folder}: read a picture with it by  --predict FILE")


def predict(path, networks):
    """Read a picture with each of these networks that this script has trained; give the exit code."""
    from digitlab import Recognizer

    kept = [name for name in networks if (KEPT / name).is_dir()]
    if not kept:
        print(
            f"--predict: expected a network in {KEPT}, found none: start me without --predict first",
            file=sys.stderr,
        )
        return 2
    for name in kept:
        reading = Recognizer(KEPT / name).read(path)
        sure = ", ".join(f"{100 * digit.confidence:.1f} %" for digit in reading.digits)
        text = reading.text.replace("\n", " / ")
        print(f"{name:9} {text}   ({sure})" if text else f"{name:9} no digit: {reading.reason}")
    return 0


def print_epoch(epoch):
    """Print one line when an epoch has ended."""
    print(
        f"  epoch {epoch.epoch:3}: training accuracy {100 * epoch.accuracy:5.2f} %, "
        f"validation accuracy {100 * epoch.validation_accuracy:5.2f} %, {epoch.seconds:.1f} s"
    )


def save_plot(path, history, x_test, y_test, predictions, digits=8):
    """Draw accuracy after each epoch, and the first test images that were misread."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    from digitlab.files import write_whole
    from digitlab.marks import Mark, mark_png

    figure = Figure(figsize=(9, 5.5), layout="constrained")
    grid = figure.add_gridspec(2, digits, height_ratios=(3, 1))
    curves = figure.add_subplot(grid[0, :])
    epochs = [epoch.epoch for epoch in history]
    curves.plot(epochs, [100 * epoch.accuracy for epoch in history], "o--", label="training")
    curves.plot(epochs, [100 * epoch.validation_accuracy for epoch in history], "o-", label="validation")
    curves.set(xlabel="epoch", ylabel="accuracy (%)", title="Accuracy after each epoch")
    curves.xaxis.set_major_locator(MaxNLocator(integer=True))
    curves.legend(frameon=False)

    wrong = np.flatnonzero(predictions != y_test)[:digits]
    for column, index in enumerate(wrong):
        picture = figure.add_subplot(grid[1, column])
        picture.imshow(x_test[index], cmap="gray_r")
        picture.set_title(f"{y_test[index]} read as {predictions[index]}", fontsize=9)
        picture.set_axis_off()
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=120)
    write_whole(path, mark_png(drawn.getvalue(), Mark("plot")))


def run_study(name, seeds=None):
    """Run a study and print its table: many networks, several seeds for each level."""
    from digitlab.cli.main import run

    seeds_option = [] if seeds is None else ["--seeds", str(seeds)]
    return run(["study", "run", name, *seeds_option])


def parse_arguments():
    """Read the command line."""
    listed = "\n".join(f"  {name:20} {what}" for name, what in {**NETWORKS, **STUDIES}.items())
    parser = argparse.ArgumentParser(
        description="Train a network on handwritten digits, evaluate it and predict.",
        epilog=f"experiments:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = [*NETWORKS, *STUDIES]
    parser.add_argument("experiment", nargs="?", choices=names, metavar="experiment", help="default: mlp")
    parser.add_argument("--epochs", type=int, help="passes over the training images")
    parser.add_argument("--seed", type=int, help="another seed, another network (default: 0)")
    parser.add_argument("--seeds", type=int, help="networks per level of a study")
    parser.add_argument("--no-plot", action="store_true", help="save no picture")
    parser.add_argument("--predict", metavar="FILE", help="read the digits in a picture; trains nothing")
    arguments = parser.parse_args()
    is_study = arguments.experiment in STUDIES
    if arguments.predict is not None and is_study:
        parser.error("--predict reads with a single network, or with all that were trained; not with a study")
    if is_study and (arguments.epochs is not None or arguments.seed is not None or arguments.no_plot):
        parser.error("--epochs, --seed and --no-plot are for a single network; a study has --seeds")
    if arguments.seeds is not None and not is_study:
        parser.error("--seeds is for studies; a single network has --seed")
    return arguments


def do_experiment(arguments):
    """Do what the command line names, and give the exit code."""
    name = arguments.experiment or "mlp"
    if name in STUDIES:
        return run_study(name, arguments.seeds)
    if arguments.predict is not None:
        return predict(arguments.predict, [name] if arguments.experiment else list(NETWORKS))
    plot = None if arguments.no_plot else Path(f"{name}.png")
    if plot and importlib.util.find_spec("matplotlib") is None:
        print(f"no plot is drawn: {MissingExtraError('matplotlib', 'report')}", file=sys.stderr)
        plot = None
    settings = {} if arguments.epochs is None else {"epochs": arguments.epochs}
    seed = arguments.seed or 0
    if name == "mlp":
        train_and_predict_mlp(**settings, seed=seed, plot=plot)
    elif name == "cnn":
        train_and_predict_cnn(**settings, seed=seed, plot=plot)
    else:
        paths = {f"training.{setting}": value for setting, value in settings.items()}
        train_and_predict(name, paths, seed, plot)
    return 0


def main():
    """Do the experiment, and tell a user's mistake in one line."""
    from digitlab.cli.environment import prepare_environment

    prepare_environment()
    try:
        return do_experiment(parse_arguments())
    except DigitlabError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130


# Worker processes of a study import this file again; without this line each would start the study anew.
if __name__ == "__main__":
    sys.exit(main())
