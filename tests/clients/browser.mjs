// Drives the gateway's test page in a real browser, headless, as a person would.
//
//   node tests/clients/browser.mjs PAGE TOKEN [SCREENSHOT [OTHER]]
//
//   PAGE        the test page: http://127.0.0.1:8080/websocket/test
//   TOKEN       a token that the gateway accepts
//   SCREENSHOT  a PNG file to write; a second one, narrow and dark, goes beside it (page.png: page-dark.png),
//               and two of how it comes back (page-lost.png, page-resumed.png)
//   OTHER       another gateway that accepts the token, 127.0.0.1:8081: it stands for one that has restarted
//
// Variables of the same names stand in for arguments; CHROMIUM names the browser. The gateway needs
// the modules `echo` and `chat`, sessions that wait for half a minute, and a path /echo/idle with an
// `idle_timeout` of a second. Prints TAP; exit code 0: all passed, 1: not, 2: wrong arguments.
// Needs `setup node browser`.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { relay } from "./relay.mjs";
import { finish, given, installed, step } from "./tap.mjs";

const usage = "usage: node tests/clients/browser.mjs PAGE TOKEN [SCREENSHOT [OTHER]]";
const [pageUrl, token, screenshot, other] = given(usage, "PAGE", "TOKEN", "SCREENSHOT", "OTHER");
const { chromium } = installed("playwright-core");

const FLAGS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>";
const WAIT_MS = 10_000;

function findChromium() {
  const setup = fileURLToPath(new URL("setup", import.meta.url));
  const found = execFileSync(setup, ["--check", "browser"], { encoding: "utf8" });
  return found.match(/^chromium=(.+)$/m)[1];
}

/** A test page with everything noted that must not happen on it. */
async function openPage(options, { fragment = "", allowed = /^$/, at = pageUrl } = {}) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, ...options });
  page.setDefaultTimeout(WAIT_MS);
  const faults = [];
  page.on("console", (line) => {
    if (["error", "warning"].includes(line.type()) && !allowed.test(line.text())) faults.push(line.text());
  });
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("dialog", (dialog) => {
    faults.push(`a dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("request", (request) => {
    const { origin, pathname } = new URL(request.url());
    const mine = new URL(at);
    if (origin !== mine.origin || !pathname.startsWith(mine.pathname)) faults.push(`a request: ${request.url()}`);
  });
  const answer = await page.goto(at + fragment);
  assert.equal(answer.status(), 200);
  return { page, faults, answer };
}

const prefilled = (path) => `#path=${path}&token=${encodeURIComponent(token)}`;
const button = (page, name) => page.getByRole("button", { name, exact: true });
const status = (page, text) => page.getByRole("status").filter({ hasText: text }).waitFor();
const received = (page, text) => page.locator('[data-way="received"]').filter({ hasText: text });
const rows = (page, way) => page.locator(`#rows [data-way="${way}"]`);

/** Waits until the browser says something like `words` on the page's console. */
const told = (page, words) =>
  page.waitForEvent("console", { predicate: (line) => words.test(line.text()), timeout: WAIT_MS });

async function connect(page) {
  await button(page, "Connect").click();
  await status(page, "Connected");
}

async function send(page, kind, text) {
  await page.getByText(kind, { exact: true }).click();
  await page.getByRole("textbox", { name: "Message", exact: true }).fill(text);
  await button(page, "Send").click();
}

/** Elements whose text has a contrast below that of WCAG 2.2 AA (4.5:1); runs in the page. */
function faintTexts() {
  const light = ([r, g, b]) => [r, g, b]
    .map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  const parts = (color) => color.match(/[\d.]+/g).map(Number);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = parts(getComputedStyle(at).backgroundColor);
      if (color[3] !== 0) return color;
    }
    return [255, 255, 255];
  };
  const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  return [...document.body.querySelectorAll("*")]
    .filter((element) => element.checkVisibility() && (hasText(element) || element.matches("input, textarea")))
    .map((element) => {
      const [a, b] = [light(parts(getComputedStyle(element).color)), light(ground(element))];
      return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), element.outerHTML.slice(0, 80)];
    })
    .filter(([contrast]) => contrast < 4.5);
}

const browser = await chromium.launch({ executablePath: findChromium(), args: FLAGS, timeout: 30_000 });
let main;

const opened = await step("the page comes with a strict Content-Security-Policy", async () => {
  main = await openPage({ colorScheme: "light" }, { fragment: prefilled("/echo") });
  const headers = main.answer.headers();
  assert.match(headers["content-security-policy"], /^default-src 'none'; script-src 'self'; style-src 'self'; /);
  assert.doesNotMatch(headers["content-security-policy"], /unsafe|\*|data:/);
  assert.equal(headers["x-content-type-options"], "nosniff");
  assert.equal(headers["referrer-policy"], "no-referrer");
  assert.equal(headers["cache-control"], "no-store");
});

if (!opened) finish();

await step("the fragment fills path and token, and the token leaves the address bar", async () => {
  assert.equal(await main.page.getByLabel("Sub path").inputValue(), "/echo");
  assert.equal(await main.page.getByLabel(/^Token/).inputValue(), token);
  assert.equal(await main.page.getByLabel(/^Token/).getAttribute("type"), "password");
  assert.equal(main.page.url(), `${pageUrl}#path=/echo`);
});

await step("it connects, and shows the client id only when asked to", async () => {
  await connect(main.page);
  const field = main.page.getByLabel(/^Client id/);
  await received(main.page, "setClientId").waitFor();
  const id = await field.inputValue();
  assert.match(id, /^[\x21-\x7e]{16,64}$/);
  assert.equal(await field.getAttribute("type"), "password");
  assert.ok(!(await main.page.locator("body").innerText()).includes(id), "the id can be read on the page");
  for (const type of ["text", "password"]) {
    await button(main.page, "Show the client id").click();
    assert.equal(await field.getAttribute("type"), type);
  }
});

await step("JSON is sent and its answer shown, with time, direction, kind and size", async () => {
  await send(main.page, "JSON", '{"n": 12345678901234567890123, "text": "ünïcödé"}');
  const answer = received(main.page, "ünïcödé");
  await answer.waitFor();
  assert.match(await answer.locator("time").innerText(), /^\d\d:\d\d:\d\d\.\d{3}$/);
  assert.match(await answer.innerText(), /↓ received\s+text, 53 B/);
  assert.equal(await rows(main.page, "sent").count(), 1);
});

await step("pretty JSON can be switched on and off, and keeps every digit", async () => {
  const body = received(main.page, "ünïcödé").locator("pre");
  await main.page.getByLabel("Pretty JSON").check();
  assert.equal(await body.innerText(), '{\n  "n": 12345678901234567890123,\n  "text": "ünïcödé"\n}');
  await main.page.getByLabel("Pretty JSON").uncheck();
  assert.equal(await body.innerText(), '{"n": 12345678901234567890123, "text": "ünïcödé"}');
});

await step("what is not JSON is not sent as JSON, and the page says why", async () => {
  await send(main.page, "JSON", '{"n": }');
  await main.page.getByRole("alert").filter({ hasText: "Not sent, this is not JSON" }).waitFor();
  assert.equal(await rows(main.page, "sent").count(), 1);
});

await step("HTML in a message is text and nothing else", async () => {
  await send(main.page, "Text", HOSTILE);
  await received(main.page, HOSTILE).waitFor();
  assert.equal(await received(main.page, HOSTILE).locator("pre").innerText(), HOSTILE);
  assert.equal(await main.page.locator("#rows img, #rows script").count(), 0);
});

await step("the keyboard suffices: Ctrl+Enter sends", async () => {
  await main.page.getByRole("textbox", { name: "Message", exact: true }).fill("by keyboard");
  await main.page.keyboard.press("Control+Enter");
  await received(main.page, "by keyboard").waitFor();
});

await step("texts have enough contrast in light and in dark", async () => {
  for (const colorScheme of ["light", "dark"]) {
    await main.page.emulateMedia({ colorScheme });
    assert.deepEqual(await main.page.evaluate(faintTexts), [], colorScheme);
  }
  await main.page.emulateMedia({ colorScheme: "light" });
});

await step("disconnect closes with 1000 and says what that means", async () => {
  if (screenshot) await main.page.screenshot({ path: screenshot });
  await button(main.page, "Disconnect").click();
  await status(main.page, "Not connected");
  await main.page.locator("#closed").filter({ hasText: "Closed: 1000 normal" }).waitFor();
  assert.ok(await button(main.page, "Send").isDisabled());
});

await step("reconnect opens a new connection, also from an open one", async () => {
  for (const text of ["after a disconnect", "after a reconnect"]) {
    await button(main.page, "Reconnect").click();
    await status(main.page, "Connected");
    await send(main.page, "Text", text);
    await received(main.page, text).waitFor();
  }
});

await step("clear empties the log, and the log keeps the last 1,000 entries", async () => {
  await button(main.page, "Clear").click();
  assert.equal(await main.page.locator("#rows li").count(), 0);
  await main.page.evaluate(() => {
    for (let n = 1; n <= 600; n += 1) {
      document.getElementById("message").value = `entry ${n}.`;
      document.getElementById("sending").requestSubmit();
    }
  });
  await received(main.page, "entry 600.").waitFor();
  assert.equal(await main.page.locator("#rows li").count(), 1000);
  assert.equal(await rows(main.page, "sent").filter({ hasText: "entry 1." }).count(), 0);
});

await step("keep-alives can be hidden", async () => {
  await button(main.page, "Clear").click();
  await send(main.page, "JSON", '"keepalive"');
  const keepalive = main.page.locator("[data-keepalive]").first();
  await keepalive.waitFor();
  await main.page.getByLabel("Hide keep-alives").check();
  await keepalive.waitFor({ state: "hidden" });
});

await step("nothing was reported: no error, no CSP violation, no dialog, no foreign request", () => {
  assert.deepEqual(main.faults, []);
});

await step("the policy is in force: an inline script does not run, and the browser reports it", async () => {
  const [ran] = await Promise.all([
    main.page.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "globalThis.inlineScriptRan = true";
      document.body.append(script);
      return globalThis.inlineScriptRan === true;
    }),
    told(main.page, /Content Security Policy/),
  ]);
  assert.equal(ran, false);
});

await step("two pages in one chat room see each other's messages, narrow and dark too", async () => {
  const narrow = { viewport: { width: 390, height: 844 }, colorScheme: "dark" };
  const one = await openPage(narrow, { fragment: prefilled("/chat/lobby") });
  const two = await openPage({}, { fragment: prefilled("/chat/lobby") });
  await connect(one.page);
  await connect(two.page);
  await send(two.page, "JSON", '{"type":"say","text":"Hello, lobby"}');
  await received(one.page, "Hello, lobby").waitFor();
  const wide = await one.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `the page is ${wide} pixels wider than the screen`);
  if (screenshot) await one.page.screenshot({ path: screenshot.replace(/(\.png)?$/, "-dark.png"), fullPage: true });
  assert.deepEqual([...one.faults, ...two.faults], []);
});

/** A test page on a line that can be cut. */
async function openOnLine(path) {
  const { host } = new URL(pageUrl);
  const line = await relay(host);
  const failed = /^WebSocket connection to .* failed/;
  const opened = await openPage({}, { fragment: prefilled(path), allowed: failed, at: pageUrl.replace(host, line.address) });
  await connect(opened.page);
  return { ...opened, line, host };
}

const event = (page, text) => rows(page, "event").filter({ hasText: text });
const session = (page, text) => page.locator("#session").filter({ hasText: text }).waitFor();
const picture = (page, what) => screenshot && page.screenshot({ path: screenshot.replace(/(\.png)?$/, `-${what}.png`) });

await step("a line that is cut comes back by itself, resumed, and goes on counting", async () => {
  const { page, faults, line, host } = await openOnLine("/echo");
  await session(page, "A new session.");
  await send(page, "Text", "before");
  await session(page, "1 received in this session");
  line.to(undefined);
  line.cut();
  await status(page, "Lost, coming back");
  const why = page.locator("#closed").filter({ hasText: "Closed: 1006 connection lost" });
  await why.filter({ hasText: /Again in \d+\.\d s\./ }).waitFor();
  assert.ok(await button(page, "Send").isDisabled());
  await picture(page, "lost");
  line.to(host);
  await session(page, "Resumed: the session goes on.");
  await status(page, "Connected");
  await page.locator("#closed").waitFor({ state: "hidden" });
  await send(page, "Text", "after");
  await session(page, "2 received in this session");
  await picture(page, "resumed");
  assert.equal(await event(page, "Resumed").count(), 1);
  assert.deepEqual(faults, []);
  await page.close();
  line.close();
});

await step("the button leaves a good connection for another one of the same session", async () => {
  const { page, faults, line } = await openOnLine("/echo");
  await send(page, "Text", "before");
  await session(page, "1 received in this session");
  await button(page, "Reconnect").click();
  await session(page, "Resumed: the session goes on.");
  await session(page, "1 received in this session");
  assert.deepEqual(faults, []);
  await page.close();
  line.close();
});

await step("closed with 4202 it comes back at once, resumed, until it is told not to", async () => {
  const { page, faults, line } = await openOnLine("/echo/idle");
  await event(page, "Closed: 4202 idle").first().waitFor();
  await session(page, "Resumed: the session goes on.");
  await button(page, "Disconnect").click();
  await status(page, "Not connected");
  await page.locator("#closed").filter({ hasText: "Closed: 1000 normal" }).waitFor();
  assert.deepEqual(faults, []);
  await page.close();
  line.close();
});

await step("a gateway that has restarted knows no session, and the page says so", async () => {
  if (!other) return;
  const { page, faults, line } = await openOnLine("/echo");
  await send(page, "Text", "before");
  await session(page, "1 received in this session");
  line.to(other);
  line.cut();
  await session(page, "A new session: there is no such session (unknown).");
  await session(page, "0 received in this session");
  assert.deepEqual(faults, []);
  await page.close();
  line.close();
});

await step("without a token the page says that it was refused", async () => {
  // Chromium's words for a 401 with a WWW-Authenticate that it cannot answer.
  const unauthorized = /WebSocket .* HTTP Authentication failed/;
  const { page, faults } = await openPage({}, { fragment: "#path=/echo", allowed: unauthorized });
  await Promise.all([button(page, "Connect").click(), told(page, unauthorized)]);
  await page.locator("#closed").filter({ hasText: "Refused or unreachable" }).waitFor();
  assert.deepEqual(faults, []);
});

await step("a page of another origin is refused with 403, even with a good token", async () => {
  const foreign = createServer((_, response) => response.setHeader("content-type", "text/html").end("<title>foreign"));
  foreign.listen(0, "127.0.0.1");
  await once(foreign, "listening");
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${foreign.address().port}/`);
  const socketUrl = pageUrl.replace(/^http/, "ws").replace(/\/test$/, "/echo");
  const attempt = ([url, protocols]) => new Promise((resolve) => {
    const socket = new WebSocket(url, protocols);
    socket.onopen = () => resolve("open");
    socket.onclose = () => resolve("refused");
  });
  const [outcome] = await Promise.all([
    page.evaluate(attempt, [socketUrl, ["sporegate", `bearer.${token}`]]),
    told(page, /Unexpected response code: 403$/),
  ]);
  assert.equal(outcome, "refused");
  foreign.close();
});

await browser.close();
finish();
