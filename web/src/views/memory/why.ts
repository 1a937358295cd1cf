// How the numbers of the memory come about, and the lines of PyTorch that compute them.

import type { LayerMemory, MemoryFacts } from "../../facts";
import { number } from "../../numbers";
import type { Explained } from "../../parts/explained";
import { sum } from "./reach";

const GRADIENT = `grads = [torch.autograd.grad(y_hat[:, k].sum(), x, retain_graph=True)[0] for k in range(K)]
g = sum(d.abs() for d in grads).mean(dim=1).flatten().flip(0)  # x: [T, B, P]`;

/** Says how one gradient comes about; `lag` counts from 0, the newest point. */
export function gradientAt(memory: MemoryFacts, lag: number): Explained {
  const value = memory.gradient[lag]!;
  return {
    title: `g[${lag}]`,
    value,
    equation: `g[lag] = mean_b Σ_k |∂ŷ[b, k] / ∂y[b, t − lag]|`,
    filled: `mean_b Σ_k |∂ŷ[b, k] / ∂y[b, t − ${lag}]| = ${number(value)}`,
    code: `${GRADIENT}\ng[${lag}]`,
  };
}

/** Says how the lag that holds 95 % comes about. */
export function lag95(name: string, gradient: readonly number[], lag: number): Explained {
  const all = sum(gradient);
  const held = sum(gradient.slice(0, lag));
  const before = sum(gradient.slice(0, Math.max(lag - 1, 0)));
  return {
    title: name,
    value: lag,
    equation: "the least n with g[0] + … + g[n − 1] ≥ 0.95 · (g[0] + … + g[W − 1])",
    filled: `n = ${lag}: ${number(held)} ≥ 0.95 · ${number(all)} = ${number(0.95 * all)}\nn = ${lag - 1}: ${number(before)}`,
    code: `${GRADIENT}\nint((g.cumsum(0) >= 0.95 * g.sum()).nonzero()[0]) + 1`,
  };
}

/** Says how the error of a truncated window comes about. */
export function truncated(given: number, error: number, patch: number): Explained {
  const steps = given / patch;
  return {
    title: `rmse(${given})`,
    value: error,
    equation: "rmse(n) = sqrt(mean (ŷ(the last n points, h_0 = 0) − y)²)",
    filled: `rmse(${given}) = ${number(error)}`,
    code: `((model(x[-${steps}:]) - y) ** 2).mean().sqrt()`,
  };
}

/** Says how the half-life of a unit comes about. */
export function halfLife(layer: LayerMemory, unit: number, gate: string): Explained {
  const value = layer.half_life[unit]!;
  return {
    title: `half-life[${unit}]`,
    value,
    equation: `ln 2 / −ln(median of ${gate})`,
    filled: `mean of ${gate}[${unit}] = ${number(layer.keep[unit])}, half-life = ${number(value)}`,
    code: `math.log(2) / -${gate}[:, :, ${unit}].median().log()`,
  };
}

/** Says how a share of saturated values comes about. */
export function saturated(gate: string, share: number, high: boolean, between: "share" | "signed"): Explained {
  const limit = high ? "> 0.95" : between === "share" ? "< 0.05" : "< -0.95";
  return {
    title: `${gate} ${limit.replace("-", "−")}`,
    value: share,
    equation: `mean over windows, steps and units of [${gate} ${limit.replace("-", "−")}]`,
    filled: `${number(100 * share)} %`,
    code: `(${gate} ${limit}).float().mean()`,
  };
}

/** Says how the spectral radius comes about. */
export function radius(layer: LayerMemory, index: number): Explained {
  const [re, im] = layer.eigenvalues[0] ?? [0, 0];
  const matrix = layer.eigenvalues_of === "weight_hh" ? `rnn.weight_hh_l${index}` : "J";
  const jacobian = "J = torch.autograd.functional.jacobian(step, state)  # d state_T / d state_{T-1}, mean over windows\n";
  return {
    title: "ρ",
    value: layer.spectral_radius,
    equation: `ρ = max |λ|,  λ: ${layer.eigenvalues_of === "weight_hh" ? "W_hh" : "∂s_T / ∂s_{T−1}"} v = λ v`,
    filled: `|${number(re)} ${im! < 0 ? "−" : "+"} ${number(Math.abs(im!))}i| = ${number(layer.spectral_radius)}`,
    code: `${matrix === "J" ? jacobian : ""}torch.linalg.eigvals(${matrix}).abs().max()`,
  };
}

/** Says how the effective rank comes about. */
export function rank(layer: LayerMemory): Explained {
  return {
    title: "effective rank",
    value: layer.effective_rank,
    equation: "exp(−Σ p ln p),  p = s² / Σ s²,  s: singular values of h over time, without its mean",
    filled: `${number(layer.effective_rank)} of ${layer.half_life.length} units`,
    code: "s2 = torch.linalg.svdvals(h - h.mean(0)) ** 2  # h: [T*B, H]\np = s2 / s2.sum()\n(-(p * p.log()).sum()).exp()",
  };
}
