// The network of net.m (Izhikevich 2003) with fewer cells: all to all, each step a new random current for each cell.
// Weights grow as 1 / cells, so that a cell gets what it gets among the thousand of the paper.

// Numbers from 0 to 1, the same for the same seed (mulberry32).
function random(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// Numbers of a standard normal distribution (Marsaglia's polar method).
function normal(uniform) {
  let spare = null;
  return () => {
    if (spare !== null) {
      const given = spare;
      spare = null;
      return given;
    }
    let x, y, r;
    do {
      x = 2 * uniform() - 1;
      y = 2 * uniform() - 1;
      r = x * x + y * y;
    } while (r >= 1 || r === 0);
    const factor = Math.sqrt((-2 * Math.log(r)) / r);
    spare = y * factor;
    return x * factor;
  };
}

// Parameters and weights of a network. net: {cells, seed, excitation, inhibition, noise}, the last three as factors of
// those of the paper. Four of five cells are excitatory. weight[j * cells + i]: from j to i, mV/ms.
function buildNetwork(net) {
  const { cells } = net,
    excitatory = Math.round(0.8 * cells),
    uniform = random(net.seed);
  const [a, b, c, d] = [0, 0, 0, 0].map(() => new Float64Array(cells));
  for (let i = 0; i < cells; i++) {
    const r = uniform();
    if (i < excitatory) [a[i], b[i], c[i], d[i]] = [0.02, 0.2, -65 + 15 * r * r, 8 - 6 * r * r];
    else [a[i], b[i], c[i], d[i]] = [0.02 + 0.08 * r, 0.25 - 0.05 * r, -65, 2];
  }
  const weight = new Float64Array(cells * cells),
    scale = 1000 / cells;
  for (let j = 0; j < cells; j++) {
    const most = scale * (j < excitatory ? 0.5 * net.excitation : -1.0 * net.inhibition);
    for (let i = 0; i < cells; i++) weight[j * cells + i] = most * uniform();
  }
  return { cells, excitatory, a, b, c, d, weight };
}

// Run it for T ms in steps of 1 ms by the two half steps of net.m. Spikes as [cell, ms] in two arrays, `i` and `t`.
// noise: optional Float64Array to which the random currents are written, T rows of `cells`.
function runNetwork(net, T = 1000, noise = null) {
  const { cells, excitatory, a, b, c, d, weight } = buildNetwork(net),
    gauss = normal(random(net.seed + 1));
  const V = new Float64Array(cells).fill(-65),
    u = b.map((x) => x * -65),
    I = new Float64Array(cells);
  const spikes = { i: [], t: [], cells, excitatory, T };
  let fired = [];
  for (let k = 0; k < T; k++) {
    for (let i = 0; i < cells; i++) {
      I[i] = (i < excitatory ? 5 : 2) * net.noise * gauss();
      if (noise) noise[k * cells + i] = I[i];
    }
    for (const j of fired) {
      V[j] = c[j];
      u[j] += d[j];
    }
    if (fired.length) {
      for (let i = 0; i < cells; i++) {
        let sum = 0;
        for (const j of fired) sum += weight[j * cells + i];
        I[i] += sum;
      }
    }
    fired = [];
    for (let i = 0; i < cells; i++) {
      let x = V[i];
      x += 0.5 * ((0.04 * x + 5) * x + 140 - u[i] + I[i]);
      x += 0.5 * ((0.04 * x + 5) * x + 140 - u[i] + I[i]);
      u[i] += a[i] * (b[i] * x - u[i]);
      V[i] = x;
      if (x >= 30) {
        fired.push(i);
        spikes.i.push(i);
        spikes.t.push(k + 1);
      }
    }
  }
  return spikes;
}
