// The network in plain loops: what the core's answers are compared with.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "network.hpp"

namespace test {

using unrolled::Dropout;
using unrolled::Index;
using Real = double;
using Reals = std::vector<Real>;

inline Real sigmoid(Real x) { return 1 / (1 + std::exp(-x)); }

// The parameters of one layer, and one step of its cell for one row.
struct ReferenceLayer {
  int cell;
  Index inputs, hidden;
  const Real *w_ih, *w_hh, *b_ih, *b_hh;

  Real from_x(Index row, const Real* x) const {
    Real sum = b_ih[row];
    for (Index i = 0; i < inputs; ++i) sum += w_ih[row * inputs + i] * x[i];
    return sum;
  }
  Real from_h(Index row, const Real* h) const {
    if (unrolled::kCells[cell].h_count == 0) return 0;
    Real sum = b_hh[row];
    for (Index i = 0; i < hidden; ++i) sum += w_hh[row * hidden + i] * h[i];
    return sum;
  }

  void step(const Real* x, Real* h, Real* c) const {
    const Reals before(h, h + hidden);
    for (Index u = 0; u < hidden; ++u) {
      const auto gate = [&](Index g) { return from_x(g * hidden + u, x) + from_h(g * hidden + u, before.data()); };
      const std::string name = unrolled::kCells[cell].name;
      if (name == "rnn") h[u] = std::tanh(gate(0));
      if (name == "rnn_relu") h[u] = gate(0) > 0 ? gate(0) : 0;
      if (name == "lstm") {
        c[u] = sigmoid(gate(1)) * c[u] + sigmoid(gate(0)) * std::tanh(gate(2));
        h[u] = sigmoid(gate(3)) * std::tanh(c[u]);
      }
      if (name == "gru") {
        const Real r = sigmoid(gate(0)), z = sigmoid(gate(1));
        const Real n = std::tanh(from_x(2 * hidden + u, x) + r * from_h(2 * hidden + u, before.data()));
        h[u] = (before[static_cast<std::size_t>(u)] - n) * z + n;
      }
      if (name == "mingru") h[u] += sigmoid(gate(0)) * (gate(1) - h[u]);
      if (name == "minlstm") {
        const Real f = sigmoid(gate(0)), i = sigmoid(gate(1));
        h[u] = (f * h[u] + i * gate(2)) / (f + i);
      }
      if (name == "slstm") {
        Real &memory = c[u], &count = c[hidden + u], &m = c[2 * hidden + u];
        const Real i = gate(0), f = gate(1);
        const Real a = m + std::fmin(f, 0) - (count > 0.75 ? 0 : std::log(2.0));
        const Real m_next = count > 0 ? std::fmax(a, i) : i;
        const Real kept = sigmoid(f) * std::exp(m - m_next), written = std::exp(i - m_next);
        memory = kept * memory + written * std::tanh(gate(2));
        count = kept * count + written;
        m = m_next;
        h[u] = sigmoid(gate(3)) * memory / count;
      }
    }
  }
};

// Runs the network over x [T, B, I] with `flat` parameters in torch's order; h [L, B, H] and c [L, B, E H] become the
// last states.
inline Reals run_reference(const unrolled::NetworkSpec& spec, const Reals& flat, Index steps, Index rows,
                           const Reals& x, Reals& h, Reals& c, const Dropout& dropout) {
  std::vector<ReferenceLayer> layers;
  const Real* at = flat.data();
  for (Index l = 0; l < spec.layers; ++l) {
    const Index inputs = l == 0 ? spec.inputs : spec.hidden;
    const Index gates = unrolled::kCells[spec.cell].gates * spec.hidden;
    const bool recurrent = unrolled::kCells[spec.cell].h_count > 0;
    const Real* w_hh = at + gates * inputs;
    const Real* b_ih = w_hh + (recurrent ? gates * spec.hidden : 0);
    layers.push_back({spec.cell, inputs, spec.hidden, at, w_hh, b_ih, b_ih + gates});
    at = b_ih + (recurrent ? 2 : 1) * gates;
  }
  const Index extra = unrolled::kCells[spec.cell].states;
  c.resize(static_cast<std::size_t>(spec.layers * rows * extra * spec.hidden));
  const Index window = steps * spec.skip_width();
  // The states of a layer with dilation d, of the steps t, t + d, ... at place t mod d.
  std::vector<std::vector<Reals>> past_h, past_c;
  const auto dilation = [&](Index l) {
    return spec.dilations.empty() ? 1 : spec.dilations[static_cast<std::size_t>(l)];
  };
  for (Index l = 0; l < spec.layers; ++l) {
    const auto own_h = h.begin() + l * rows * spec.hidden, own_c = c.begin() + l * rows * extra * spec.hidden;
    const auto places = static_cast<std::size_t>(dilation(l));
    past_h.emplace_back(places, Reals(own_h, own_h + rows * spec.hidden));
    past_c.emplace_back(places, Reals(own_c, own_c + rows * extra * spec.hidden));
  }
  const Real* head = at;
  const Real* bias = head + spec.outputs * spec.hidden;
  const Real* skip = bias + spec.outputs;
  Reals out;
  for (Index t = 0; t < steps; ++t) {
    for (Index b = 0; b < rows; ++b) {
      Reals input(x.begin() + (t * rows + b) * spec.inputs, x.begin() + (t * rows + b + 1) * spec.inputs);
      for (Index l = 0; l < spec.layers; ++l) {
        if (l > 0) dropout.apply(l, t, b, spec.hidden, input.data());
        const auto layer = static_cast<std::size_t>(l), place = static_cast<std::size_t>(t % dilation(l));
        Real* state = past_h[layer][place].data() + b * spec.hidden;
        layers[layer].step(input.data(), state, past_c[layer][place].data() + b * extra * spec.hidden);
        if (l == 0 || !spec.residual) input.assign(static_cast<std::size_t>(spec.hidden), 0);
        for (Index i = 0; i < spec.hidden; ++i) input[static_cast<std::size_t>(i)] += state[i];
      }
      if (spec.outputs == 0) out.insert(out.end(), input.begin(), input.end());
      if (spec.outputs == 0 || (!spec.every && t + 1 < steps)) continue;
      for (Index o = 0; o < spec.outputs; ++o) {
        Real y = bias[o];
        for (Index i = 0; i < spec.hidden; ++i) y += head[o * spec.hidden + i] * input[static_cast<std::size_t>(i)];
        for (Index s = 0; s < spec.skip_steps; ++s) {
          for (Index i = 0; i < spec.skip_width(); ++i) {
            y += skip[o * window + s * spec.skip_width() + i] *
                 x[static_cast<std::size_t>((s * rows + b) * spec.inputs + i)];
          }
        }
        out.push_back(y);
      }
    }
  }
  for (Index l = 0; l < spec.layers; ++l) {
    const auto layer = static_cast<std::size_t>(l), place = static_cast<std::size_t>((steps - 1) % dilation(l));
    std::copy(past_h[layer][place].begin(), past_h[layer][place].end(), h.begin() + l * rows * spec.hidden);
    std::copy(past_c[layer][place].begin(), past_c[layer][place].end(), c.begin() + l * rows * extra * spec.hidden);
  }
  return out;
}

}  // namespace test
