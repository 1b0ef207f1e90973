// The examples, each by what its README or the gateway's own example says.

import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "@sporegate/guest/testing";

const example = (path) => new URL(`../../../examples/js/${path}`, import.meta.url);

async function asks(client, message, options) {
  assert.equal(await client.says(message, options), "stop");
  return client.takes();
}

test("echo answers text with text and binary with binary", async () => {
  const client = (await load(example("echo/echo.js"))).connect("/echo");
  assert.deepEqual(await asks(client, "hi"), ["hi"]);
  assert.deepEqual(await asks(client, new Uint8Array([0, 255])), [new Uint8Array([0, 255])]);
});

test("chat: join, say, who, leave, and a farewell", async () => {
  const gateway = await load(example("chat/chat.js"));
  const kim = gateway.connect("/chat/tea", { username: "kim" });
  const lee = gateway.connect("/chat/tea");
  const elsewhere = gateway.connect("/chat/milk", { username: "max" });
  const say = (value) => asks(kim, JSON.stringify(value), { pathParams: { room: "tea" } });
  for (const [request, answer] of [
    [{ type: "join" }, '{"type":"joined","who":"kim","room":"tea"}'],
    [{ type: "say", text: "h\u00fc" }, '{"type":"said","who":"kim","text":"h\u00fc"}'],
  ]) {
    assert.deepEqual(await say(request), [answer]);
    assert.deepEqual(lee.takes(), [answer]);
  }
  assert.deepEqual(await say({ type: "who" }), ['{"type":"present","who":["kim","somebody"]}']);
  await say({ type: "leave" });
  assert.deepEqual(kim.closed, { code: 1000, reason: "see you" });
  await kim.leaves();
  assert.deepEqual(lee.takes(), ['{"type":"left","who":"kim"}']);
  assert.deepEqual(elsewhere.takes(), []);
});

test("chat answers anything else with an error, to the sender only", async () => {
  const gateway = await load(example("chat/chat.js"));
  const [kim, lee] = [gateway.connect("/chat/tea"), gateway.connect("/chat/tea")];
  for (const bad of ["no", "7", "null", "[]", '{"type":"sing"}', '{"type":"say"}', '{"type":"say","text":1}', new Uint8Array(1)]) {
    const [answer] = (await asks(kim, bad)).map((text) => JSON.parse(text));
    assert.deepEqual([Object.keys(answer), answer.type], [["type", "problem"], "error"]);
  }
  assert.deepEqual(lee.takes(), []);
});

test("counter counts, forgets who leaves, and hands over what it has", async () => {
  const source = example("counter/counter.ts");
  const gateway = await load(source);
  const [one, two] = [gateway.connect("/counter"), gateway.connect("/counter")];
  assert.deepEqual(await asks(two, "count"), ['{"yours":1,"total":1}']);
  assert.deepEqual(await asks(one, "count"), ['{"yours":1,"total":2}']);
  assert.deepEqual(await asks(one, "count"), ['{"yours":2,"total":3}']);
  assert.deepEqual(await asks(one, "total"), ['{"total":3,"clients":2}']);
  assert.deepEqual(await asks(one, "what"), ['{"error":"say count or total"}']);
  assert.deepEqual(await asks(one, new Uint8Array(1)), ['{"error":"say count or total"}']);
  const state = await gateway.exportState();
  assert.deepEqual([state.schema, state.mediaType], [1, "application/json"]);
  assert.equal(new TextDecoder().decode(state.data), `{"total":3,"clients":{"${one.id}":2,"${two.id}":1}}`);

  const next = await load(source, { state });
  const again = next.connect("/counter");
  assert.equal(again.id, one.id);
  assert.deepEqual(await asks(again, "count"), ['{"yours":3,"total":4}']);
  await again.leaves();
  assert.deepEqual(await asks(next.connect("/counter"), "total"), ['{"total":4,"clients":1}']);
});

test("counter refuses a state that is not its own, and says why", async () => {
  const data = (text) => new TextEncoder().encode(text);
  const right = { schema: 1, mediaType: "application/json", data: data('{"total":1,"clients":{}}') };
  await load(example("counter/counter.ts"), { state: right });
  for (const [wrong, why] of [
    [{ schema: 2 }, /schema 2, not 1/],
    [{ mediaType: "text/plain" }, /is text\/plain, not application\/json/],
    [{ data: data("{") }, /not JSON/],
    [{ data: new Uint8Array([0xff]) }, /not JSON/],
    [{ data: data("null") }, /the state is not \{/],
    [{ data: data('{"total":-1,"clients":{}}') }, /the state is not \{/],
    [{ data: data('{"total":1,"clients":[]}') }, /the state is not \{/],
    [{ data: data('{"total":1,"clients":{"a":"b"}}') }, /the state is not \{/],
  ]) {
    await assert.rejects(load(example("counter/counter.ts"), { state: { ...right, ...wrong } }), (text) => why.test(text));
  }
});

const service = "http://127.0.0.1:9000";

async function enrich(http, config = { service }) {
  const gateway = await load(example("enrich/enrich.ts"), { config, http });
  return gateway.connect("/enrich");
}

test("enrich passes on each line, whatever pieces it comes in", async () => {
  const asked = [];
  const client = await enrich((request) => {
    asked.push(`${request.method} ${request.url}`);
    return { status: 404, chunks: ["one\n\ntw", "o\n", new Uint8Array([0xff, 0xe2]), new Uint8Array([0x82, 0xac])] };
  });
  assert.deepEqual(await asks(client, "tea-2"), [
    '{"status":404}', '{"line":"one"}', '{"line":""}', '{"line":"two"}', '{"line":"\ufffd\u20ac"}', '{"done":true,"lines":4}',
  ]);
  assert.deepEqual(asked, [`GET ${service}/items/tea-2`]);
});

test("enrich: no empty line after a final end of line, none of an empty body", async () => {
  const bodies = [["a\n"], []];
  const client = await enrich(() => ({ chunks: bodies.shift() }));
  assert.deepEqual(await asks(client, "a"), ['{"status":200}', '{"line":"a"}', '{"done":true,"lines":1}']);
  assert.deepEqual(await asks(client, "a"), ['{"status":200}', '{"done":true,"lines":0}']);
});

test("enrich tells what failed, instead of what would follow", async () => {
  const answers = [{ error: { tag: "connection-refused" } }, { chunks: ["one\ntw", new Error("connection-terminated")] }];
  const client = await enrich(() => answers.shift());
  const [refused] = await asks(client, "a");
  assert.deepEqual(JSON.parse(refused), { error: `GET ${service}/items/a: connection-refused` });
  const [status, line, broken, ...more] = await asks(client, "a");
  assert.deepEqual([status, line, more], ['{"status":200}', '{"line":"one"}', []]);
  assert.deepEqual(JSON.parse(broken), { error: `GET ${service}/items/a: the answer broke off: connection-terminated` });
  const denied = await enrich(() => ({}), { service, refuses: "127.0.0.1:9000" });
  assert.match((await asks(denied, "a"))[0], /HTTP-request-denied/);
});

test("enrich asks for nothing where a name is none", async () => {
  const client = await enrich(() => assert.fail("asked"));
  for (const name of ["", "A", "a b", "a\n", "x".repeat(65), "../x", new Uint8Array([97])]) {
    assert.deepEqual(await asks(client, name), ['{"error":"a name is 1-64 of a-z, 0-9 and -"}']);
  }
});

test("enrich does not start without a service, and says what to set", async () => {
  await assert.rejects(enrich(undefined, {}), (text) => /set config\.service/.test(text));
});
