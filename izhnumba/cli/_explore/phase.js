// The phase plane: nullclines and fixed points at the current of a moment, the directions in which V and u move, and
// the way of the run.

// What the plane shows, and the scales that hold it.
function planeOf(canvas, s, run, exact) {
  const I = currentAt(s.stimulus, s.at),
    unit = s.model === "Izhikevich2007" ? 20 : 1;
  const V = extent([...span(run, exact, "V"), s.V], 30, 0.05);
  const on = nullclines(s, I),
    points = fixedPoints(s, I, Math.max(Math.min(V[0], -120), -1000), Math.min(Math.max(V[1], 60), 1000));
  const shown = points.filter((point) => point.V >= V[0] && point.V <= V[1]);
  let lowest = Infinity; // the vertex of the V nullcline belongs to the picture
  for (let i = 0; i <= 100; i++) lowest = Math.min(lowest, on.V(V[0] + ((V[1] - V[0]) * i) / 100));
  const u = extent([...span(run, exact, "u"), s.u, ...shown.map((point) => point.u), lowest], 12 * unit, 0.08);
  const b = box(LEFT, 12, sizeOf(canvas).width - LEFT - RIGHT, sizeOf(canvas).height - 56, V, u);
  return { I, on, points, b };
}

function drawPhase(canvas, s, run, exact) {
  const { ctx } = begin(canvas),
    plane = planeOf(canvas, s, run, exact),
    { I, on, points, b } = plane;
  const steps = Math.max(Math.round(b.width / 2), 50),
    V_of = (k) => b.x[0] + ((b.x[1] - b.x[0]) * k) / steps;
  const of = (values) => (k) => values[k],
    spike = new Set(run.spikes.map((k) => k + 1));
  axes(ctx, b, { x: "V (mV)", y: `u (${DATA.models[s.model].u})` });
  within(ctx, b, () => {
    field(ctx, b, s, I);
    const before = nullclines(s, currentAt(s.stimulus, 0));
    if (currentAt(s.stimulus, 0) !== I) {
      ctx.setLineDash([2, 3]);
      path(ctx, b, steps + 1, V_of, (k) => before.V(V_of(k)), colors.green, 1);
      ctx.setLineDash([]);
    }
    path(ctx, b, steps + 1, V_of, (k) => on.V(V_of(k)), colors.green, 2);
    ctx.setLineDash([7, 4]);
    if (EQUATIONS[s.model].leaks) path(ctx, b, steps + 1, V_of, (k) => on.u(V_of(k)), colors.purple, 2);
    else vertical(ctx, b, s.p.V_b, colors.purple, [7, 4], 2);
    ctx.setLineDash([]);
    path(ctx, b, exact.t.length, of(exact.V), of(exact.u), colors.pale, HALO, (k) => exact.t[k] === exact.t[k - 1]);
    path(ctx, b, run.steps, of(run.V), of(run.u), colors.scheme, LINE, (k) => spike.has(k));
  });
  for (const point of points) fixedPoint(ctx, b, point);
  dot(ctx, b.px(s.V), b.py(s.u));
  return plane;
}

// Arrows on a grid, longer where the state moves faster (by the logarithm of its speed on the screen).
function field(ctx, b, s, I) {
  const columns = Math.max(Math.round(b.width / 34), 6),
    rows = Math.max(Math.round(b.height / 34), 5);
  const perV = b.width / (b.x[1] - b.x[0]),
    perU = b.height / (b.y[1] - b.y[0]);
  ctx.strokeStyle = colors.field;
  ctx.lineWidth = 1.2;
  ctx.beginPath();
  for (let i = 0; i < columns; i++) {
    for (let j = 0; j < rows; j++) {
      const x = b.left + ((i + 0.5) * b.width) / columns,
        y = b.top + ((j + 0.5) * b.height) / rows;
      const [V, u] = derivatives(s, b.vx(x), b.vy(y), I),
        dx = V * perV,
        dy = -u * perU,
        speed = Math.hypot(dx, dy);
      if (!(speed > 0) || speed === Infinity) continue;
      const length = Math.min(4 + 3 * Math.log10(1 + 10 * speed), 15),
        ex = dx / speed,
        ey = dy / speed;
      const [tx, ty] = [x + (ex * length) / 2, y + (ey * length) / 2];
      ctx.moveTo(x - (ex * length) / 2, y - (ey * length) / 2);
      ctx.lineTo(tx, ty);
      ctx.moveTo(tx - 3.5 * ex - 2 * ey, ty - 3.5 * ey + 2 * ex);
      ctx.lineTo(tx, ty);
      ctx.lineTo(tx - 3.5 * ex + 2 * ey, ty - 3.5 * ey - 2 * ex);
    }
  }
  ctx.stroke();
}

// Stable points are filled, others open; a saddle is a diamond.
function fixedPoint(ctx, b, { V, u, kind, stable }) {
  const x = b.px(V),
    y = b.py(u),
    r = 5.5;
  if (x < b.left || x > b.right || y < b.top || y > b.bottom) return;
  ctx.beginPath();
  if (kind === "saddle") {
    ctx.moveTo(x - r - 1, y);
    ctx.lineTo(x, y - r - 1);
    ctx.lineTo(x + r + 1, y);
    ctx.lineTo(x, y + r + 1);
    ctx.closePath();
  } else ctx.arc(x, y, r, 0, 2 * Math.PI);
  ctx.fillStyle = stable ? colors.text : colors.card;
  ctx.fill();
  ctx.strokeStyle = colors.text;
  ctx.lineWidth = 1.8;
  ctx.stroke();
}

// Where the run starts.
function dot(ctx, x, y) {
  ctx.strokeStyle = colors.text;
  ctx.lineWidth = 1.8;
  ctx.beginPath();
  for (const [dx, dy] of [
    [1, 1],
    [1, -1],
  ]) {
    ctx.moveTo(x - 5 * dx, y - 5 * dy);
    ctx.lineTo(x + 5 * dx, y + 5 * dy);
  }
  ctx.stroke();
}
