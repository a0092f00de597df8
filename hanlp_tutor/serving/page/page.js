"use strict";
// Whatever comes from the reader or the model is put into the page as text, never as HTML. Offsets count code points,
// so a text is cut as an array of its code points: an emoji is one of them here, and two units of a string.

const SAY = {
  zh: {
    switch: "English", text: "文本", head: "头实体", tail: "尾实体", hint: "输入或粘贴文本，按“分析”或 Ctrl+Enter。",
    go: "分析", threshold: "置信度阈值", found: "结果", token: "访问令牌", examples: "示例", none: "没有找到实体。",
    ner: "命名实体识别", classify: "文本分类", relation: "关系抽取", multitask: "多任务分析",
    count: (n, k) => `找到 ${n} 个实体` + (k ? `，其中 ${k} 个低于阈值（虚线）` : "") + "。",
    best: (label, p) => `类别：${label}（${p}）`, unsure: "低于阈值，不作判断。", label: "标签", p: "概率",
    word: "词", pos: "词性", busy: "正在分析…", unreachable: "无法连接服务。", wait: (s) => `服务繁忙，请 ${s} 秒后再试。`,
    denied: "需要访问令牌，或令牌不正确。", empty: "请先输入文本。", toLabel: (t) => `类别：${t.join("、")}`, more: " 等",
  },
  en: {
    switch: "中文", text: "Text", head: "Head entity", tail: "Tail entity",
    hint: "Type or paste a text, then press Analyse or Ctrl+Enter.", go: "Analyse", threshold: "Threshold of the score",
    found: "Answer", token: "Token", examples: "Examples", none: "No entity found.", ner: "Named entity recognition",
    classify: "Text classification", relation: "Relation extraction", multitask: "Several tasks",
    count: (n, k) => `${n} ${n === 1 ? "entity" : "entities"}` + (k ? `, ${k} below the threshold (dotted)` : "") + ".",
    best: (label, p) => `Class: ${label} (${p})`, unsure: "Below the threshold: no decision.", label: "Label",
    p: "Probability", word: "Word", pos: "Part of speech", busy: "Analysing…", unreachable: "The service does not answer.",
    wait: (s) => `The service is busy. Try again in ${s} s.`, denied: "A token is needed, or this one is wrong.",
    empty: "Enter a text first.", toLabel: (t) => `Labels: ${t.join(", ")}`, more: " …",
  },
};
const NAMES = {
  PER: ["人名", "person"], LOC: ["地名", "location"], ORG: ["机构名", "organisation"],
  pos: ["好评", "positive"], neg: ["差评", "negative"], positive: ["正面", "positive"], negative: ["负面", "negative"],
};
const byId = (id) => document.getElementById(id);
const state = { language: "zh", model: null, answer: null };
const say = () => SAY[state.language];

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function named(label) {
  const pair = NAMES[label];
  return pair ? `${label} ${pair[state.language === "zh" ? 0 : 1]}` : label;
}

const number = (value) => (value === undefined || value === null ? "" : value.toFixed(2));

function colour(label) {
  const labels = Array.isArray(state.model && state.model.labels) ? state.model.labels : [];
  let place = labels.indexOf(label);
  if (place < 0) place = Array.from(label).reduce((sum, each) => sum + each.codePointAt(0), 0);
  return `c${place % 8}`;
}

function speak() {
  document.documentElement.lang = state.language === "zh" ? "zh-CN" : "en";
  for (const each of document.querySelectorAll("[data-say]")) each.textContent = say()[each.dataset.say];
  byId("language").textContent = say().switch;
  byId("language").lang = state.language === "zh" ? "en" : "zh-CN";
  byId("examples").setAttribute("aria-label", say().examples);
  if (state.model) {
    const labels = Array.isArray(state.model.labels) ? state.model.labels : Object.keys(state.model.labels);
    const first = labels.slice(0, 12).map(named);
    byId("title").textContent = say()[state.model.task] || state.model.task;
    document.title = `${byId("title").textContent} · hanlp-tutor`;
    byId("about").textContent = say().toLabel(first) + (labels.length > 12 ? say().more : "");
  }
  show();
}

function headers(more) {
  const token = byId("secret").value;
  return token ? { ...more, Authorization: `Bearer ${token}` } : more;
}

async function open() {
  const reply = await fetch("model", { headers: headers({}) });
  if (reply.status === 401) {
    byId("token").hidden = false;
    throw new Error(say().denied);
  }
  if (!reply.ok) throw new Error(String(reply.status));
  state.model = await reply.json();
  byId("pair").hidden = state.model.task !== "relation";
  const examples = byId("examples");
  examples.replaceChildren();
  for (const each of state.model.examples) {
    const text = typeof each === "string" ? each : each.text;
    const short = Array.from(text).slice(0, 14).join("") + (Array.from(text).length > 14 ? "…" : "");
    const button = element("button", short);
    button.type = "button";
    button.title = text;
    button.addEventListener("click", () => {
      byId("text").value = text;
      if (typeof each !== "string") {
        byId("head").value = each.head;
        byId("tail").value = each.tail;
      }
      ask();
    });
    examples.append(button);
  }
  speak();
}

let latest = 0;

async function ask() {
  const turn = ++latest;
  const text = byId("text").value;
  byId("problem").textContent = "";
  if (!text.trim()) return fail(say().empty);
  const go = byId("go");
  go.setAttribute("aria-busy", "true");
  byId("summary").textContent = say().busy;
  try {
    if (!state.model) await open();
    const pair = { head: byId("head").value, tail: byId("tail").value, text };
    const body = state.model.task === "relation" ? { pair } : { text };
    const reply = await fetch("predict", {
      method: "POST", headers: headers({ "Content-Type": "application/json" }), body: JSON.stringify(body),
    });
    const answer = await reply.json();
    if (turn !== latest) return; // a later question has been asked
    if (reply.status === 401) byId("token").hidden = false;
    if (reply.status === 401) fail(say().denied);
    else if (reply.status === 429) fail(say().wait(reply.headers.get("Retry-After")));
    else if (!reply.ok) fail(answer.detail);
    else {
      state.answer = answer;
      show();
    }
  } catch (error) {
    if (turn === latest) fail(error instanceof TypeError ? say().unreachable : error.message);
  } finally {
    if (turn === latest) go.removeAttribute("aria-busy");
  }
}

function fail(reason) {
  state.answer = null;
  show();
  byId("problem").textContent = reason;
}

function show() {
  const place = byId("answer");
  const answer = state.answer;
  place.replaceChildren();
  byId("summary").textContent = "";
  if (!answer) return;
  const limit = Number(byId("threshold").value);
  const entities = answer.entities || (Array.isArray(answer.ner) && answer.offsets ? answer.ner : null);
  if (entities) showEntities(place, answer.text, entities, limit);
  if (answer.relation !== undefined) showRelation(place, answer, limit);
  if (answer.label !== undefined) showClass(place, answer, answer.label, limit);
  if (answer.tok) showWords(place, answer);
  if (!entities && answer.label === undefined && answer.relation === undefined && !answer.tok) {
    place.append(element("pre", JSON.stringify(answer, null, 2)));
  }
}

function showEntities(place, text, entities, limit) {
  const points = Array.from(text);
  const piece = (from, to) => points.slice(from, to).join("");
  const line = element("div");
  let at = 0;
  let weak = 0;
  for (const each of [...entities].sort((a, b) => a.start - b.start || b.end - a.end)) {
    if (each.start < at) continue;
    line.append(document.createTextNode(piece(at, each.start)));
    const below = each.score !== undefined && each.score < limit;
    weak += below ? 1 : 0;
    const mark = element("mark", piece(each.start, each.end), `${colour(each.label)}${below ? " weak" : ""}`);
    mark.append(element("small", `${named(each.label)} ${number(each.score)}`.trim()));
    line.append(mark);
    at = each.end;
  }
  line.append(document.createTextNode(piece(at)));
  place.append(line);
  byId("summary").textContent = entities.length ? say().count(entities.length, weak) : say().none;
}

function probabilities(answer, best) {
  const table = element("table");
  const top = table.createTHead().insertRow();
  top.append(element("th", say().label), element("th", say().p), element("th", ""));
  const body = table.createTBody();
  for (const [label, p] of Object.entries(answer.probabilities || {}).sort((a, b) => b[1] - a[1])) {
    const row = body.insertRow();
    const name = element("th", named(label), label === best ? "best" : "");
    name.scope = "row";
    const meter = element("meter");
    meter.value = p;
    meter.setAttribute("aria-hidden", "true");
    const bar = element("td");
    bar.append(meter);
    row.append(name, element("td", p.toFixed(3), "number"), bar);
  }
  return table;
}

function showClass(place, answer, best, limit) {
  const unsure = answer.score !== undefined && answer.score < limit;
  byId("summary").textContent = unsure ? say().unsure : say().best(named(best), number(answer.score));
  if (answer.probabilities) place.append(probabilities(answer, best));
}

function showRelation(place, answer, limit) {
  const arrow = element("div", undefined, "arrow");
  const edge = element("span", undefined, "edge");
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 112 14");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", "M2 7 H106 M98 2 L108 7 L98 12");
  svg.append(path);
  edge.append(element("span", `${named(answer.relation)} ${number(answer.score)}`), svg);
  arrow.append(element("span", answer.head, "node c1"), edge, element("span", answer.tail, "node c2"));
  place.append(arrow);
  showClass(place, answer, answer.relation, limit);
}

function showWords(place, answer) {
  const table = element("table");
  const top = table.createTHead().insertRow();
  top.append(element("th", say().word), element("th", say().pos));
  const body = table.createTBody();
  answer.tok.forEach((word, place_) => {
    const row = body.insertRow();
    row.append(element("td", word), element("td", answer.pos ? answer.pos[place_] : ""));
  });
  place.append(table);
}

byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
byId("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    ask();
  }
});
byId("threshold").addEventListener("input", () => {
  byId("shown").textContent = Number(byId("threshold").value).toFixed(2);
  show();
});
byId("secret").addEventListener("change", () => open().catch((error) => fail(error.message)));
byId("language").addEventListener("click", () => {
  state.language = state.language === "zh" ? "en" : "zh";
  speak();
});
speak();
open().catch((error) => fail(error instanceof TypeError ? say().unreachable : error.message));
