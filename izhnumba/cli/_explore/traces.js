// V, u and I over time, with a row of marks for the spikes of the scheme and one for those in continuous time.

const LEFT = 58,
  RIGHT = 14,
  GAP = 18;
const HALO = 4,
  LINE = 1.4; // widths: the scheme's line runs over the pale one of continuous time

// Where the panels stand: also for clicks.
function traceBoxes(canvas, s, run, exact) {
  const width = sizeOf(canvas).width - LEFT - RIGHT,
    height = sizeOf(canvas).height,
    x = [0, s.T],
    marks = 30;
  const room = height - marks - 40 - 2 * GAP,
    parts = [0.56, 0.26, 0.18].map((part) => part * room);
  const peak = EQUATIONS[s.model].threshold(s.u, s.p);
  const V = extent([...span(run, exact, "V"), s.V, Math.min(peak, 1e3)], 20, 0.04);
  const u = extent([...span(run, exact, "u"), s.u], s.model === "Izhikevich2007" ? 10 : 1);
  const I = extent([...minMax(run.I), s.stimulus.base], s.model === "Izhikevich2007" ? 20 : 1, 0.12);
  let top = marks;
  return [V, u, I].map((y, i) => {
    const made = box(LEFT, top, width, parts[i], x, y);
    top += parts[i] + GAP;
    return made;
  });
}

function minMax(values) {
  let low = Infinity,
    high = -Infinity;
  for (let k = 0; k < values.length; k++) {
    if (values[k] < low) low = values[k];
    if (values[k] > high) high = values[k];
  }
  return low <= high ? [low, high] : [];
}

// The lowest and highest V or u of both runs; where the exact one runs away, of the other: there would be nothing else
// to see.
function span(run, exact, name) {
  return [...minMax(run[name].subarray(0, run.steps)), ...(exact.stopped === null ? minMax(exact[name]) : [])];
}

function drawTraces(canvas, s, run, exact) {
  const { ctx } = begin(canvas),
    [V, u, I] = traceBoxes(canvas, s, run, exact),
    unit = DATA.models[s.model];
  const time = (k) => (k + 1) * s.dt,
    of = (values) => (k) => values[k];
  marks(ctx, V, 8, run.spikes.map(time), colors.scheme);
  marks(ctx, V, 19, exact.spikes, colors.exact);
  axes(ctx, V, { x: null, above: "V (mV)" });
  axes(ctx, u, { x: null, above: `u (${unit.u})` }, u.height / 24);
  axes(ctx, I, { x: "time (ms)", above: `I (${unit.I})` }, I.height / 22);
  for (const [b, values, exactly] of [
    [V, run.V, exact.V],
    [u, run.u, exact.u],
  ]) {
    within(ctx, b, () => {
      trace(ctx, b, exact.t.length, of(exact.t), of(exactly), colors.pale, HALO);
      trace(ctx, b, run.steps, time, of(values), colors.scheme, LINE);
    });
  }
  within(ctx, I, () =>
    trace(
      ctx,
      I,
      2 * run.I.length,
      (k) => Math.ceil(k / 2) * s.dt,
      (k) => run.I[k >> 1],
      colors.purple,
      1.5,
    ),
  );
  for (const b of [V, u, I]) vertical(ctx, b, s.at, colors.text, [3, 3], 1);
}

function marks(ctx, b, y, times, color) {
  ctx.strokeStyle = color;
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  let before = -Infinity;
  for (const t of times) {
    const x = b.px(t);
    if (x - before < 0.4) continue;
    ctx.moveTo(x, y - 5);
    ctx.lineTo(x, y + 4);
    before = x;
  }
  ctx.stroke();
}
