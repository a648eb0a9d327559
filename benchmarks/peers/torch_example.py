"""PyTorch's own MNIST example: Adadelta at 1.0, times 0.7 after each epoch, batches of 64, 14 epochs.

The rate after an epoch does not depend on how many follow, so each epoch is the end of a shorter schedule.
The images are shuffled, which the example itself does beside an accelerator only, and lie ready in memory.
"""

from __future__ import annotations

from typing import Any

from contract import CLASSES, Clock, Order, read_order
from torch_digits import accuracy, step, tensors_of

BATCH_SIZE = 64
GAMMA = 0.7


def network(nn: Any) -> Any:
    """Build the example's network."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Dropout(0.25),
        nn.Flatten(),
        nn.Linear(64 * 12 * 12, 128),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(128, CLASSES),
        nn.LogSoftmax(dim=1),
    )


def train(order: Order, clock: Clock) -> None:
    import torch  # pyright: ignore[reportMissingImports] - it has an environment of its own

    clock.part("import")
    torch.manual_seed(order.seed)
    data = tensors_of(torch, order.digits)
    clock.restart()
    model = network(torch.nn)
    optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=GAMMA)
    clock.part("compile")
    for epoch in range(1, order.epochs + 1):
        for chosen in torch.randperm(len(data.y_train)).split(BATCH_SIZE):
            step(torch, model, optimizer, data.x_train[chosen], data.y_train[chosen])
        schedule.step()
        clock.pause()
        clock.epoch(epoch, accuracy(torch, model, data))


def main() -> None:
    order = read_order(__doc__ or "", epochs=14)
    clock = Clock()
    train(order, clock)
    clock.report("torch")


if __name__ == "__main__":
    main()
