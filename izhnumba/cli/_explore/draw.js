// Drawing: a canvas in CSS pixels, axes with round ticks, lines with as many points as the picture can show.

let colors = {};

// The colours of the theme in use, from style.css.
function readColors() {
  const style = getComputedStyle(document.documentElement);
  const names = ["text", "muted", "line", "card", "scheme", "exact", "pale", "green", "purple", "field"];
  colors = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

// The sizes of canvases in CSS pixels, as they were told: to ask for one here would make the browser lay out the page
// anew for each picture.
const sizes = new Map();

function sizeOf(canvas) {
  if (!sizes.has(canvas)) sizes.set(canvas, { width: canvas.clientWidth, height: canvas.clientHeight });
  return sizes.get(canvas);
}

// The cleared context of a canvas, with its width and height.
function begin(canvas) {
  const { width, height } = sizeOf(canvas),
    ratio = Math.min(window.devicePixelRatio || 1, 3);
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const ctx = canvas.getContext("2d");
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  ctx.font = "12px system-ui, sans-serif";
  ctx.lineJoin = "bevel";
  return { ctx, width, height };
}

// A rectangle of the picture with its scales: x and y are [low, high] of the data.
function box(left, top, width, height, x, y) {
  const sx = width / (x[1] - x[0]),
    sy = height / (y[1] - y[0]);
  return {
    left,
    top,
    width,
    height,
    x,
    y,
    right: left + width,
    bottom: top + height,
    px: (value) => left + (value - x[0]) * sx,
    py: (value) => top + height - (value - y[0]) * sy,
    vx: (pixel) => x[0] + (pixel - left) / sx,
    vy: (pixel) => y[0] + (top + height - pixel) / sy,
  };
}

// Round numbers within [low, high], about n of them.
function ticks(low, high, n) {
  const raw = (high - low) / Math.max(n, 1),
    power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((k) => k * power).find((k) => k >= raw * 0.999),
    found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++)
    found.push(Number((k * step).toPrecision(12)));
  return found;
}

// [low, high] that holds all values with some room: part of their range, at least `least` of it in all.
function extent(values, least, part = 0.06) {
  let low = Infinity,
    high = -Infinity;
  for (const x of values) {
    if (x < low) low = x;
    if (x > high) high = x;
  }
  if (!(low <= high)) return [0, 1];
  if (!Number.isFinite(high - low)) [low, high] = [Math.max(low, -1e6), Math.min(high, 1e6)];
  const room = Math.max((high - low) * part, (least - (high - low)) / 2);
  return [low - room, high + room];
}

// Grid, ticks and labels. labels: {x, y, above}; x may be null, then there are no numbers below. y stands upright at
// the left; `above` lies over the panel, where that is too low for it.
function axes(ctx, b, labels, ny = b.height / 28, nx = b.width / 80) {
  ctx.lineWidth = 1;
  ctx.strokeStyle = colors.line;
  ctx.fillStyle = colors.muted;
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  ctx.beginPath();
  for (const value of ticks(...b.y, ny)) {
    const y = Math.round(b.py(value)) + 0.5;
    ctx.moveTo(b.left, y);
    ctx.lineTo(b.right, y);
    if (!labels.above || y > b.top + 8) ctx.fillText(numberText(value), b.left - 6, y); // `above` stands there
  }
  ctx.textAlign = "center";
  ctx.textBaseline = "top";
  for (const value of ticks(...b.x, nx)) {
    const x = Math.round(b.px(value)) + 0.5;
    ctx.moveTo(x, b.top);
    ctx.lineTo(x, b.bottom);
    if (labels.x) ctx.fillText(numberText(value), Math.min(x, b.right - 6), b.bottom + 5);
  }
  ctx.stroke();
  ctx.fillStyle = colors.text;
  if (labels.x) {
    ctx.textAlign = "center";
    ctx.fillText(labels.x, b.left + b.width / 2, b.bottom + 21);
  }
  if (labels.above) {
    ctx.textAlign = "left";
    ctx.textBaseline = "bottom";
    ctx.fillText(labels.above, 2, b.top - 2);
  }
  if (!labels.y) return;
  ctx.save();
  ctx.translate(12, b.top + b.height / 2);
  ctx.rotate(-Math.PI / 2);
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(labels.y, 0, 0);
  ctx.restore();
}

function numberText(x) {
  return (Math.abs(x) >= 1e5 ? x.toExponential(0) : String(x)).replace("-", "−");
}

function within(ctx, b, draw) {
  ctx.save();
  ctx.beginPath();
  ctx.rect(b.left, b.top - 1, b.width, b.height + 2);
  ctx.clip();
  draw();
  ctx.restore();
}

// Lines are stroked in pieces: browsers that draw without a graphics card take the square of a line's points.
const PIECE = 48;

function strokeAndGoOn(ctx, x, y) {
  ctx.stroke();
  ctx.beginPath();
  ctx.moveTo(x, y);
}

// A line through points whose x rise: where several share a column of pixels, only the first, lowest, highest and last.
function trace(ctx, b, n, x, y, color, width) {
  ctx.strokeStyle = color;
  ctx.lineWidth = width;
  ctx.beginPath();
  let column = NaN,
    low = 0,
    high = 0,
    last = 0,
    columns = 0;
  const finish = () => {
    ctx.lineTo(column, low);
    ctx.lineTo(column, high);
    ctx.lineTo(column, last);
    if (++columns % PIECE === 0) strokeAndGoOn(ctx, column, last);
  };
  for (let k = 0; k < n; k++) {
    const py = Math.max(-1e4, Math.min(1e4, b.py(y(k)))),
      here = Math.round(b.px(x(k)));
    if (here === column) {
      if (py < low) low = py;
      if (py > high) high = py;
      last = py;
      continue;
    }
    if (k) finish();
    ctx.lineTo(here, py);
    [column, low, high, last] = [here, py, py, py];
  }
  if (n) finish();
  ctx.stroke();
}

// A line through points in any order; points closer than a pixel to the one before are left out. A new piece begins
// where `breaks(k)` is true.
function path(ctx, b, n, x, y, color, width, breaks = () => false) {
  ctx.strokeStyle = color;
  ctx.lineWidth = width;
  ctx.beginPath();
  let lastX = NaN,
    lastY = NaN,
    points = 0;
  for (let k = 0; k < n; k++) {
    const px = b.px(x(k)),
      py = Math.max(-1e4, Math.min(1e4, b.py(y(k))));
    if (!Number.isFinite(px) || !Number.isFinite(py)) continue;
    if (k === 0 || breaks(k)) ctx.moveTo(px, py);
    else if (Math.abs(px - lastX) + Math.abs(py - lastY) < 1) continue;
    else ctx.lineTo(px, py);
    [lastX, lastY] = [px, py];
    if (++points % PIECE === 0 && !ctx.getLineDash().length) strokeAndGoOn(ctx, px, py);
  }
  ctx.stroke();
}

function vertical(ctx, b, value, color, dash, width = 1.5) {
  const x = b.px(value);
  if (!(x >= b.left - 0.5 && x <= b.right + 0.5)) return;
  ctx.save();
  ctx.setLineDash(dash);
  ctx.strokeStyle = color;
  ctx.lineWidth = width;
  ctx.beginPath();
  ctx.moveTo(x, b.top);
  ctx.lineTo(x, b.bottom);
  ctx.stroke();
  ctx.restore();
}
