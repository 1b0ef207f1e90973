// What the types allow, and what they refuse. Never run: `npm run types` compiles it.

import { audience, clientsOnPath, GatewayError, jsonState, listener, match, type Client, type State } from "@sporegate/guest";
import { config } from "@sporegate/guest/config";
import { HttpError, request } from "@sporegate/guest/http";
import { KeyValueError, open } from "@sporegate/guest/keyvalue";

export default listener({
  start() {
    match("/rooms/{room}").jsonEquals("/type", "say").role("talker").listen("rooms", { priority: 1 });
    const service: string | undefined = config("service");
    void service;
  },
  onMessage(event) {
    const said = event.json<{ text: string }>();
    const room: string | undefined = event.pathParams.room;
    const name: string | undefined = event.client.username;
    const reached: number = audience.path(event.client.path).sendJson({ room, name, text: said.text }, { except: [event.client] });
    for (const client of clientsOnPath("/rooms/tea")) use(client);
    event.reply(new Uint8Array([reached]));
    // @ts-expect-error: what is no text and no bytes goes by replyJson
    event.reply(7);
    // @ts-expect-error: a record cannot be changed
    event.client.id = "another";
    return Math.random() < 0.5 ? "proceed" : undefined;
  },
  onDisconnect({ client, code }) {
    audience.user(client.username ?? "").send(`${code.toFixed()}`);
  },
});

export const state: State = jsonState({ schema: 1, save: () => ({ any: "value" }), load: (value: unknown) => void value });

function use(client: Client) {
  try {
    for (const line of request("http://127.0.0.1:9000/", { timeoutMs: 100 }).lines()) client.send(line);
  } catch (error) {
    if (error instanceof GatewayError && error.code === "queue-full") client.close(4900, "slow");
    // @ts-expect-error: there is no such case
    if (error instanceof GatewayError && error.code === "full") client.close();
    if (error instanceof HttpError) console.log(error.code);
  }
}

function keep(name: string) {
  const bucket = open(name);
  try {
    bucket.set("text", "tea");
    bucket.setMany(new Map([["a", "text"]]));
    bucket.setMany(Object.entries({ b: new Uint8Array(1) }));
    // @ts-expect-error: what is no text and no bytes goes by setJson
    bucket.set("number", 7);
    const value: { a: number } | undefined = bucket.getJson<{ a: number }>("json");
    const sum: number = bucket.increment("sum", 2);
    for (const key of bucket.keys()) bucket.delete(key);
    // @ts-expect-error: a key may have no value
    const bytes: Uint8Array[] = bucket.getMany(["a", "b"]);
    return [value, sum, bytes];
  } catch (error) {
    // @ts-expect-error: there is no such case
    if (error instanceof KeyValueError && error.code === "full") return [];
    return error instanceof KeyValueError && error.code === "no-such-store" ? [] : undefined;
  }
}
void keep;

// @ts-expect-error: onMessage is missing
listener({ start() {} });
listener({
  start() {},
  // @ts-expect-error: no such outcome
  onMessage: () => "perhaps",
});
// @ts-expect-error: a matcher is of one path
match(1);
