"use strict";
const report = JSON.parse(document.getElementById("report").textContent);
const steps = report.timeline || [];
const services = report.services || [];
const byId = (id) => document.getElementById(id);

// Everything from the report becomes text, never markup.
function el(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}
const SVG = "http://www.w3.org/2000/svg";
function shape(name, attributes, text) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

// The same words as in the terminal and in the summary: report/mod.rs. What is exactly between two
// numbers goes to the even one there.
function fixed(value, digits) {
  const scaled = value * 2 ** (digits + 1);
  if (!Number.isInteger(scaled) || scaled % 2 === 0) return value.toFixed(digits);
  const low = Math.floor(value * 10 ** digits);
  return ((low % 2 === 0 ? low : low + 1) / 10 ** digits).toFixed(digits);
}
function seconds(value) {
  if (value < 0.095) return fixed(value, 2) + " s";
  if (value < 9.95) return fixed(value, 1) + " s";
  if (value < 99.5) return fixed(value, 0) + " s";
  const whole = Math.round(value);
  return Math.floor(whole / 60) + " min " + (whole % 60) + " s";
}
function bytes(value) {
  const units = ["kB", "MB", "GB"];
  if (value < 1000) return value + " B";
  let unit = 0;
  let amount = value / 1000;
  while (amount >= 999.5 && unit < units.length - 1) { amount /= 1000; unit += 1; }
  return fixed(amount, amount < 9.95 ? 1 : 0) + " " + units[unit];
}
const percent = (rate) => fixed(Math.floor(rate * 1000 + 1e-9) / 10, 1) + " %";
const count = (number, thing) => number + " " + thing + (number === 1 ? "" : "s");
const known = (value) => value !== null && value !== undefined;
const short = (digest) => digest.slice(0, 19);

// ---- the head ----
const event = report.event || {};
byId("subtitle").textContent = [
  event.ref, event.revision && event.revision.slice(0, 12),
  report.began && report.began.replace("T", " ").replace("Z", " UTC"),
].filter(Boolean).join("  ·  ");

function total(label, field, value, note) {
  if (!known(value)) return;
  byId("totals").append(el("div", {}, el("dt", {}, label),
    el("dd", {}, el("span", { "data-field": field }, value), note ? el("small", {}, note) : null)));
}
const outcomes = {};
for (const service of services) outcomes[service.outcome] = (outcomes[service.outcome] || 0) + 1;
total("Time", "seconds", seconds(report.seconds || 0), count(services.length, "service"));
total("Services", "outcomes", Object.entries(outcomes).map(([what, number]) => number + " " + what.replace("-", " ")).join(", ") || "none");
if (report.steps) {
  total("Hit rate", "hit-rate", known(report["hit-rate"]) ? percent(report["hit-rate"]) : null,
    report.steps.cached + " of " + count(report.steps.total, "step") + " from cache");
}
total("Pulled", "pulled", known(report.pulled) ? bytes(report.pulled) : null, "from registries");
total("Pushed", "pushed", known(report.pushed) ? bytes(report.pushed) : null,
  known(report["cache-pushed"]) ? bytes(report["cache-pushed"]) + " of it cache" : null);
total("Network", "network", known(report.network) ? bytes(report.network) : null, "by the steps themselves");
const cache = report.cache;
if (cache) {
  total("Cache cost", "cache-cost", seconds(cache["import-seconds"] + cache["export-seconds"]),
    seconds(cache["import-seconds"]) + " to read, " + seconds(cache["export-seconds"]) + " to write");
  total("Cache saved", "cache-saved", known(cache["saved-seconds"]) ? seconds(cache["saved-seconds"]) : null,
    "as these steps took when they last ran");
}

// ---- the theme: the system's, or what the button says ----
const dark = matchMedia("(prefers-color-scheme: dark)");
let theme = null;
try { theme = localStorage.getItem("xtask-theme"); } catch { /* a file may have no storage */ }
function paint() {
  if (theme) document.documentElement.dataset.theme = theme;
  const isDark = theme ? theme === "dark" : dark.matches;
  byId("theme").setAttribute("aria-pressed", isDark);
}
byId("theme").addEventListener("click", () => {
  theme = (theme ? theme === "dark" : dark.matches) ? "light" : "dark";
  try { localStorage.setItem("xtask-theme", theme); } catch { /* as above */ }
  paint();
});
dark.addEventListener("change", paint);
paint();

// ---- the time axis ----
const end = Math.max(0.001, ...steps.map((step) => step.end || 0));
const begin = 0;
const span = end - begin;
const at = (time) => ((time - begin) / span) * 100;
function ticks(most) {
  const raw = span / most;
  const power = 10 ** Math.floor(Math.log10(raw));
  const size = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= raw);
  const all = [];
  for (let time = Math.ceil(begin / size) * size; time <= end; time += size) all.push(time);
  return { all, digits: size < 1 ? Math.min(3, Math.ceil(-Math.log10(size))) : 0 };
}
function drawAxis() {
  const axis = byId("axis");
  const { all, digits } = ticks(Math.max(2, Math.floor(axis.clientWidth / 90)));
  axis.replaceChildren(...(steps.length ? all : []).map((time) => {
    const mark = el("span", {}, time.toFixed(digits) + " s");
    mark.style.left = at(time) + "%";
    return mark;
  }));
}

// ---- bytes over time ----
const MOVES = [["pulled", "pulled by steps", "--pull"], ["pushed", "pushed by steps", "--push"], ["context", "sent to the builder", "--sent"]];
function drawBytes() {
  const moving = steps.filter((step) => MOVES.some(([field]) => step[field] > 0));
  if (!moving.length) return;
  const slots = 120;
  const rows = MOVES.map(([field, label, color]) => {
    const sums = new Array(slots).fill(0);
    let sum = 0;
    for (const step of moving.filter((one) => one[field] > 0)) {
      const first = Math.min(slots - 1, Math.max(0, Math.floor((step.start - begin) / span * slots)));
      const last = Math.min(slots - 1, Math.max(first, Math.ceil((step.end - begin) / span * slots) - 1));
      for (let slot = first; slot <= last; slot += 1) sums[slot] += step[field] / (last - first + 1);
      sum += step[field];
    }
    return { label, color, sums, sum };
  }).filter((row) => row.sum > 0);
  const peak = Math.max(...Array.from({ length: slots }, (_, slot) => rows.reduce((all, row) => all + row.sums[slot], 0)));
  const svg = shape("svg", { viewBox: "0 0 600 132", role: "img", "aria-labelledby": "bytes-text", preserveAspectRatio: "none" });
  let below = new Array(slots).fill(0);
  for (const row of rows) {
    const top = row.sums.map((value, slot) => value + below[slot]);
    const x = (slot) => (slot / slots * 600).toFixed(1);
    const y = (value) => (116 - value / peak * 104).toFixed(1);
    let path = "M0," + y(below[0]);
    top.forEach((value, slot) => { path += `L${x(slot)},${y(value)}L${x(slot + 1)},${y(value)}`; });
    for (let slot = slots - 1; slot >= 0; slot -= 1) path += `L${x(slot + 1)},${y(below[slot])}L${x(slot)},${y(below[slot])}`;
    const area = shape("path", { d: path + "Z" });
    area.style.fill = `var(${row.color})`;
    svg.append(area);
    below = top;
  }
  const floor = shape("path", { d: "M0,116.5H600", "stroke-width": 1, "vector-effect": "non-scaling-stroke" });
  floor.style.stroke = "var(--line)";
  svg.append(floor);
  byId("bytes-chart").replaceChildren(svg);
  const rate = peak / (span / slots);
  byId("bytes-text").replaceChildren(...rows.flatMap((row) => {
    const key = el("span", { class: "key" });
    key.style.background = `var(${row.color})`;
    return [key, ` ${bytes(row.sum)} ${row.label}`];
  }), `  ·  at most ${bytes(Math.round(rate))} a second`);
  byId("bytes").hidden = false;
}

// ---- lists of what stands out ----
// What stands between backticks is code.
const prose = (text) => text.split("`").map((part, index) => (index % 2 ? el("code", {}, part) : part));
function drawLists() {
  const slow = steps.filter((step) => step.result !== "cached" && step.services.length)
    .sort((a, b) => (b.end - b.start) - (a.end - a.start)).slice(0, 6)
    .filter((step) => step.end - step.start >= 0.1);
  byId("slowest-list").append(...slow.map((step) => el("li", {},
    el("a", { href: "#step-" + step.id }, el("b", {}, step.services[0]), " ", step.name),
    el("span", { class: "t" }, seconds(step.end - step.start)))));
  byId("slowest").hidden = !slow.length;
  const advice = report.advice || [];
  byId("advice-list").append(...advice.map((one) => el("li", {}, one.service ? el("b", {}, one.service + ": ") : null, ...prose(one.text))));
  byId("advice").hidden = !advice.length;
}

// ---- services ----
const WORDS = { ran: "ran", cached: "hit", failed: "failed", canceled: "stopped" };
const owned = new Map(services.map((service) => [service.service, []]));
const unowned = [];
for (const step of steps) (owned.get((step.services || [])[0]) || unowned).push(step);

function lane(own) {
  const box = el("div", { class: "lane", "aria-hidden": "true" });
  if (!own.length) return box;
  const svg = shape("svg", { viewBox: "0 0 1000 16", preserveAspectRatio: "none" });
  const paths = { ran: "", cached: "", failed: "", critical: "" };
  for (const step of own) {
    const x = at(step.start) * 10;
    const width = Math.max(1.6, at(step.end) * 10 - x - 0.8);
    paths[step.result === "cached" ? "cached" : step.result === "failed" ? "failed" : "ran"] += `M${x.toFixed(1)},2h${width.toFixed(1)}v9h-${width.toFixed(1)}z`;
    if (step.critical) paths.critical += `M${x.toFixed(1)},13h${width.toFixed(1)}v2h-${width.toFixed(1)}z`;
  }
  for (const [kind, d] of Object.entries(paths)) if (d) svg.append(shape("path", { class: kind, d }));
  box.append(svg);
  return box;
}

function row(step, first) {
  const took = step.end - step.start;
  const moved = ["pulled", "pushed", "context"].filter((field) => step[field] > 0);
  const size = moved.reduce((sum, field) => sum + step[field], 0);
  const title = moved.map((field) => field + " " + bytes(step[field])).join(", ");
  const words = (WORDS[step.result] || step.result) + (step.critical ? ", on the critical path" : "");
  const number = step.number ? step.number.join("/") : "";
  const text = (step.stage ? step.stage + "  " : "") + step.name;
  const bar = el("i");
  bar.style.left = at(step.start) + "%";
  bar.style.width = Math.max(0, at(step.end) - at(step.start)) + "%";
  const line = el("tr", {
    id: "step-" + step.id, role: "row", tabindex: first ? "0" : "-1", "data-result": step.result,
    class: `is-${step.result}${step.number ? "" : " is-own"}${step.critical ? " is-critical" : ""}`,
  },
  el("td", { class: "n", role: "cell" }, number || (step.line ? "" : "·")),
  el("td", { class: "what", role: "cell" },
    el("span", { class: "text mono", title: step.line ? `line ${step.line}: ${text}` : text }, text),
    el("span", { class: "result" }, WORDS[step.result] || step.result, step.critical ? el("span", { class: "unseen" }, ", on the critical path") : null),
    el("span", { class: "num" }, seconds(took)),
    el("span", { class: "num size", title: title || null }, size ? bytes(size) : "")),
  el("td", { class: "when", role: "cell" }, el("span", { class: "unseen" }, `from ${seconds(step.start)} to ${seconds(step.end)}`), bar));
  line.dataset.text = (text + " " + words).toLowerCase();
  return line;
}

function fact(list, label, field, value, of) {
  if (known(value) && value !== "") list.append(el("div", {}, el("dt", {}, label), el("dd", { "data-field": field, "data-of": of }, value)));
}
function draw(service, own) {
  const name = service.service;
  const figures = el("span", { class: "figures" });
  if (service.outcome === "failed") figures.append(el("span", { class: "bad" }, "failed"));
  else figures.append((service.outcome || "").replace("-", " "));
  if (known(service.seconds)) figures.append("  ", seconds(service.seconds));
  if (service.steps && service.steps.total) figures.append(`  ${service.steps.cached}/${service.steps.total} hit`);
  const details = el("details", { class: "service", "data-service": name });
  details.append(el("summary", {}, el("div", { class: "who" }, el("b", {}, name), figures,
    el("span", { class: "reason" }, service.why || service.reason || "")), lane(own)));
  const list = el("dl");
  fact(list, "Outcome", "outcome", (service.outcome || "").replace("-", " "), name);
  fact(list, "Time", "seconds", known(service.seconds) ? seconds(service.seconds) : null, name);
  fact(list, "Steps", "steps", service.steps ? `${service.steps.cached} of ${service.steps.total} from cache` : null, name);
  fact(list, "Hit rate", "hit-rate", known(service["hit-rate"]) ? percent(service["hit-rate"]) : null, name);
  fact(list, "Pulled", "pulled", known(service.pulled) ? bytes(service.pulled) : null, name);
  fact(list, "Pushed", "pushed", known(service.pushed) ? bytes(service.pushed) : null, name);
  fact(list, "of it cache", "cache-pushed", known(service["cache-pushed"]) ? bytes(service["cache-pushed"]) : null, name);
  fact(list, "Digest", "digest", service.digest ? short(service.digest) : null, name);
  fact(list, "Tags", "tags", (service.tags || []).join(", "), name);
  fact(list, "Why", "why", service.why || service.reason, name);
  const more = el("div", { class: "more" }, list);
  if (service.error) more.append(el("p", { class: "error mono" }, service.error));
  if (own.length) {
    const head = el("tr", { role: "row" }, ...["Step", "Instruction, result, time and bytes", "When"].map((text) => el("th", { scope: "col", role: "columnheader" }, text)));
    const body = el("tbody", { role: "rowgroup" }, ...own.map((step, index) => row(step, index === 0)));
    more.append(el("table", { class: "rows", role: "table", "aria-label": `Steps of ${name}` }, el("thead", { role: "rowgroup" }, head), body));
  }
  details.append(more);
  return details;
}
const list = byId("list");
const drawn = services.map((service) => draw(service, owned.get(service.service)));
if (unowned.length) drawn.push(draw({ service: "of no service", reason: "what the builder did for all", outcome: "" }, unowned));
list.append(...drawn);
const MANY = 8;
if (drawn.length <= MANY) drawn.filter((one) => one.querySelector("tr[id]")).forEach((one) => { one.open = true; });

// ---- filter ----
const rows = drawn.map((details) => ({ details, name: details.dataset.service.toLowerCase(), rows: [...details.querySelectorAll("tbody tr")] }));
const fits = { all: () => true, ran: (tr) => tr.dataset.result !== "cached", cached: (tr) => tr.dataset.result === "cached",
  failed: (tr) => tr.dataset.result === "failed", critical: (tr) => tr.classList.contains("is-critical") };
function filter() {
  const words = byId("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  const show = document.querySelector("#show input:checked").value;
  const is = fits[show];
  const plain = show === "all" && !words.length;
  let shown = 0;
  let of = 0;
  for (const one of rows) {
    let any = 0;
    for (const tr of one.rows) {
      const hit = is(tr) && words.every((word) => one.name.includes(word) || tr.dataset.text.includes(word));
      tr.hidden = !hit;
      any += hit;
    }
    const named = show === "all" && words.every((word) => one.name.includes(word));
    one.details.hidden = !(plain || any || named);
    if (!plain && words.length && any) one.details.open = true;
    shown += any;
    of += !one.details.hidden && owned.has(one.details.dataset.service);
  }
  byId("count").textContent = `${count(shown, "step")} of ${count(of, "service")}`;
}
let waiting = 0;
byId("find").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 80); });
byId("show").addEventListener("change", filter);
filter();

// ---- open and close ----
function say() { byId("fold").textContent = drawn.some((one) => !one.open) ? "Open all" : "Close all"; }
function openAll(open) { for (const one of drawn) one.open = open; say(); }
byId("fold").addEventListener("click", () => openAll(drawn.some((one) => !one.open)));
list.addEventListener("toggle", say, true);
say();
let before = null;
addEventListener("beforeprint", () => { before = drawn.map((one) => one.open); openAll(true); });
addEventListener("afterprint", () => { if (before) drawn.forEach((one, index) => { one.open = before[index]; }); before = null; });

// ---- keys ----
list.addEventListener("click", (press) => {
  const tr = press.target.closest("tbody tr");
  if (tr && !getSelection().toString()) tr.classList.toggle("open");
});
list.addEventListener("keydown", (key) => {
  const from = key.target;
  const details = from.closest("details");
  if (!details) return;
  const all = [...details.querySelectorAll("tbody tr:not([hidden])")];
  const place = all.indexOf(from);
  const go = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: all.length - 1 }[key.key];
  if (from.matches("tr") && (key.key === "Enter" || key.key === " ")) { from.classList.toggle("open"); key.preventDefault(); return; }
  if (from.matches("tr") && key.key === "Escape") { details.querySelector("summary").focus(); return; }
  if (go === undefined || (from.matches("summary") && key.key !== "ArrowDown") || !details.open) return;
  key.preventDefault();
  const to = go < 0 ? details.querySelector("summary") : all[Math.min(go, all.length - 1)];
  if (!to) return;
  if (to.matches("tr")) { details.querySelectorAll("tr[tabindex='0']").forEach((tr) => { tr.tabIndex = -1; }); to.tabIndex = 0; }
  to.focus();
});
addEventListener("keydown", (key) => {
  if (key.key === "/" && !key.target.matches("input") && !key.ctrlKey && !key.metaKey) { key.preventDefault(); byId("find").focus(); }
  if (key.key === "Escape" && key.target.id === "find") { byId("find").value = ""; filter(); }
});
function follow() {
  const tr = location.hash.startsWith("#step-") && document.getElementById(location.hash.slice(1));
  if (tr) { tr.closest("details").open = true; tr.hidden = false; tr.scrollIntoView({ block: "center" }); tr.focus({ preventScroll: true }); }
}
addEventListener("hashchange", follow);

drawAxis();
drawBytes();
drawLists();
follow();
addEventListener("resize", drawAxis);
document.documentElement.dataset.ready = String(Math.round(performance.now()));
