// What the types allow, and what they refuse. Never run: `npm run types` compiles it.

import { audience, clientsOnPath, GatewayError, jsonState, listener, match, type Client, type State } from "@sporegate/guest";
import { config } from "@sporegate/guest/config";
import { HttpError, request } from "@sporegate/guest/http";

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

// @ts-expect-error: onMessage is missing
listener({ start() {} });
listener({
  start() {},
  // @ts-expect-error: no such outcome
  onMessage: () => "perhaps",
});
// @ts-expect-error: a matcher is of one path
match(1);
