// The f-I curve and the raster of the network.

// curve: rates as `ratesAt` gives them, of which the last may be missing yet; limits: `bifurcations`.
function drawFI(canvas, s, curve, currents, limits) {
  const { ctx } = begin(canvas),
    unit = DATA.models[s.model].I;
  const rates = curve.flatMap((one) => [one.exact, one.scheme]).filter((rate) => rate !== null);
  const top = Math.max(20, ...rates) * 1.08,
    x = [currents[0], currents[currents.length - 1]];
  const b = box(LEFT, 26, sizeOf(canvas).width - LEFT - RIGHT, sizeOf(canvas).height - 70, x, [0, top]);
  axes(ctx, b, { x: `I (${unit})`, y: "rate (Hz)" });
  const known = curve.filter((one) => one.exact !== null),
    stepped = curve.filter((one) => one.scheme !== null);
  within(ctx, b, () => {
    path(
      ctx,
      b,
      known.length,
      (k) => known[k].I,
      (k) => known[k].exact,
      colors.exact,
      2.5,
    );
    ctx.fillStyle = colors.scheme;
    for (const one of stepped) {
      ctx.beginPath();
      ctx.arc(b.px(one.I), b.py(one.scheme), 2.6, 0, 2 * Math.PI);
      ctx.fill();
    }
  });
  ctx.textBaseline = "middle";
  const lines = [
    ...limits.hopf.map((I) => [I, "Hopf", [2, 3]]),
    ...limits.saddleNode.map((I) => [I, "saddle-node", [7, 4]]),
  ];
  for (const [I, name, dash] of lines) {
    vertical(ctx, b, I, colors.text, dash);
    const at = b.px(I);
    if (at < b.left || at > b.right) continue;
    ctx.fillStyle = colors.text;
    ctx.textAlign = name === "Hopf" ? "right" : "left";
    ctx.fillText(name, Math.max(at + (name === "Hopf" ? -4 : 4), b.left + (name === "Hopf" ? 30 : 0)), 14);
  }
}

// A mark for each spike, excitatory cells below, and the rate of all in bins of 5 ms.
function drawRaster(canvas, spikes) {
  const { ctx } = begin(canvas),
    { cells, excitatory, T } = spikes,
    width = sizeOf(canvas).width - LEFT - RIGHT;
  const high = sizeOf(canvas).height - 52,
    upper = box(LEFT, 8, width, high * 0.66, [0, T], [0, cells]);
  axes(ctx, upper, { x: null, y: "cell" }, 4);
  const size = Math.max(1, Math.min(2.2, upper.height / cells));
  for (const [color, mine] of [
    [colors.scheme, (i) => i < excitatory],
    [colors.exact, (i) => i >= excitatory],
  ]) {
    ctx.fillStyle = color;
    for (let k = 0; k < spikes.i.length; k++) {
      if (mine(spikes.i[k]))
        ctx.fillRect(upper.px(spikes.t[k]) - size / 2, upper.py(spikes.i[k] + 0.5) - size / 2, size, size);
    }
  }
  const bin = 5,
    counts = new Float64Array(Math.ceil(T / bin));
  for (const t of spikes.t) counts[Math.min(Math.floor((t - 1) / bin), counts.length - 1)]++;
  const rate = counts.map((count) => (1000 * count) / (bin * cells));
  const lower = box(LEFT, upper.bottom + 14, width, high * 0.34 - 14, [0, T], [0, Math.max(10, ...rate) * 1.1]);
  axes(ctx, lower, { x: "time (ms)", y: "rate (Hz)" }, 3);
  within(ctx, lower, () =>
    path(
      ctx,
      lower,
      2 * rate.length,
      (k) => Math.ceil(k / 2) * bin,
      (k) => rate[k >> 1],
      colors.text,
      1.2,
    ),
  );
}
