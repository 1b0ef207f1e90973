// A listener that does what a test says: the message is the name of what to do.

import {
  audience, basePath, clientCount, clientsOfUser, clientsOnPath, flush, getClient, GatewayError, listenForDisconnects,
  listener, match, stopListening, stopListeningForDisconnects, type MessageEvent,
} from "@sporegate/guest";

const doing: Record<string, (event: MessageEvent) => void> = {
  proceed: () => {},
  event: ({ client, pathParams, sequence, listener, traceparent, receivedAtMs }) =>
    client.sendJson({ id: client.id, path: client.path, username: client.username, roles: client.roles, pathParams, sequence, listener, traceparent, at: typeof receivedAtMs }),
  claims: ({ client }) => client.sendJson(client.claims() ?? "none"),
  bytes: ({ client }) => client.send(new Uint8Array([1, 2, 255])),
  queries: ({ client }) =>
    client.sendJson({
      base: basePath(), count: clientCount(), known: getClient(client.id)?.id, unknown: getClient("nobody") ?? "nobody",
      room: Array.from(clientsOnPath("/rooms/{room}"), ({ id }) => id), user: Array.from(clientsOfUser("kim"), ({ id }) => id),
    }),
  audiences: ({ client }) =>
    client.sendJson([
      audience.path("/rooms/tea").send("path"), audience.user("kim").send("user"), audience.role("talker").sendJson("role"),
      audience.clients([client, "nobody"]).send("ids"), audience.path("/rooms/*").send("others", { except: [client] }),
    ]),
  flushed: ({ client }) => {
    client.send("flushed");
    flush();
    client.send("lost");
    throw new Error("afterwards");
  },
  close: ({ client }) => client.close(4900, "enough"),
  code: ({ client }) => {
    try {
      client.close(1001);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      client.sendJson({ code: error.code, detail: error.detail, text: String(error) });
    }
  },
  undefined: ({ client }) => client.sendJson(undefined),
  number: ({ client }) => client.send(7 as unknown as string),
  outcome: () => "perhaps",
  text: () => {
    throw "only a text";
  },
  json: (event) => event.json(),
  forget: () => {
    stopListening("more");
    stopListeningForDisconnects("gone");
    stopListening("never");
  },
};

export default listener({
  start() {
    match().listen("all", { priority: 3 });
    match("/rooms/{room}")
      .text().binary().textEquals("a").textPrefix("b").textContains("c").textRegex("d+").binaryPrefix(new Uint8Array([7]))
      .jsonExists("/e").jsonEquals("/f", "g").jsonOneOf("/h", [1, "two", null]).role("talker").listen("more");
    listenForDisconnects("gone", "/rooms/*");
  },
  onMessage(event) {
    const what = typeof event.message === "string" ? event.message : "json";
    const result = doing[what]?.(event) as unknown;
    return what === "proceed" ? "proceed" : (result as undefined);
  },
  onDisconnect({ client, code, reason }) {
    audience.path("/rooms/*").sendJson({ left: client.id, code, reason });
  },
});
