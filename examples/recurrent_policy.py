"""A policy with a memory: docs/examples/recurrent_policy.md tells what happens here, and what it prints."""

import time

import gymnasium
import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as surprise

import unrolled.torch

CARTS, STEPS, UNITS, DISCOUNT = 16, 16, 32, 0.99
torch.set_num_threads(1)


def seen_of(observation, dtype):
    """Return the positions of cart and pole, both of size 1; the velocities stay hidden."""
    return torch.tensor(observation[None, :, [0, 2]] * [0.4, 5.0], dtype=dtype)


class Policy(nn.Module):
    """An LSTM and a linear head; the class of the LSTM is given."""

    def __init__(self, lstm):
        super().__init__()
        self.memory = lstm(2, UNITS)
        self.head = nn.Linear(UNITS, 2)

    def forward(self, seen, state, resets):
        """Return logits and values [T, B], and the state behind the last step."""
        h, state = self.memory(seen, state, resets=resets)
        return *self.head(h).unbind(-1), state


def learn(lstm, updates, dtype):
    """Learn from nothing; return the lengths of all episodes and the seconds that it took."""
    torch.manual_seed(0)
    carts = gymnasium.make_vec("CartPole-v1", CARTS, vectorization_mode="vector_entry_point")
    observation, _ = carts.reset(seed=0)
    policy = Policy(lstm).to(dtype)
    optimizer = torch.optim.Adam(policy.parameters(), lr=0.01)
    slower = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.01, updates)
    state = tuple(torch.zeros(1, CARTS, UNITS, dtype=dtype) for _ in ("h", "c"))
    seen = torch.empty(STEPS, CARTS, 2, dtype=dtype)
    actions, rewards = torch.empty(2, STEPS, CARTS, dtype=dtype)
    resets = torch.ones(STEPS + 1, CARTS, dtype=torch.bool)
    ended, lengths, running = np.zeros(CARTS, bool), [], np.zeros(CARTS)
    began = time.perf_counter()
    for _ in range(updates):
        before, resets[0] = state, resets[-1]
        with torch.no_grad():
            for t in range(STEPS):
                seen[t : t + 1] = seen_of(observation, dtype)
                logits, _, state = policy(seen[t : t + 1], state, resets[t : t + 1])
                actions[t] = torch.rand(CARTS, dtype=dtype) < logits[0].sigmoid()
                observation, reward, fell, late, _ = carts.step(actions[t].long().numpy())
                rewards[t], resets[t + 1] = torch.tensor(reward) / 20, torch.tensor(ended)
                ended, running = fell | late, running + reward
                lengths += running[ended].tolist()
                running[ended] = 0
            _, (ahead,), _ = policy(seen_of(observation, dtype), state, resets[-1:])
            targets = torch.empty_like(rewards)
            for t in reversed(range(STEPS)):
                targets[t] = ahead = rewards[t] + DISCOUNT * ahead * ~resets[t + 1]
        logits, values, _ = policy(seen, before, resets[:-1])
        better = targets - values
        doubt = surprise(logits, logits.sigmoid(), reduction="none")
        acted = surprise(logits, actions, reduction="none") * better.detach()
        loss = (acted + better.square() / 2 - doubt / 100).mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(policy.parameters(), 0.5)
        optimizer.step()
        slower.step()
    return lengths, time.perf_counter() - began


lengths, spent = learn(unrolled.torch.LSTM, 600, torch.float64)
first, last = np.mean(lengths[:50]), np.mean(lengths[-50:])
print(f"the first 50 episodes: about {first:.0f} steps each")
print(f"the last 50 episodes: about {last:.0f} steps each")
print("at least five times as long:", last > 5 * first)


class StepByStep(nn.LSTM):
    """PyTorch's own LSTM, whose state is set to zero between two calls."""

    def forward(self, seen, state, *, resets):
        """Return the output of every step, and the state behind the last."""
        outputs = []
        for x, reset in zip(seen, resets, strict=True):
            state = tuple(part.masked_fill(reset[:, None], 0.0) for part in state)
            output, state = super().forward(x[None], state)
            outputs.append(output)
        return torch.cat(outputs), state


again, spent_again = learn(StepByStep, 600, torch.float64)
print("the same episodes:", again == lengths)
print(f"float64: unrolled.torch.LSTM {spent:.1f} s, torch.nn.LSTM {spent_again:.1f} s")

spent, spent_again = (learn(lstm, 200, torch.float32)[1] for lstm in (unrolled.torch.LSTM, StepByStep))
print(f"float32: unrolled.torch.LSTM {spent:.1f} s, torch.nn.LSTM {spent_again:.1f} s")
