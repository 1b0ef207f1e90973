// How the client is used in TypeScript, with neither the types of a browser nor those of Node.
// Never run: package.test.mjs has it compiled, and the lines that are marked must be refused.

import { connect, type Client, type Down, type Ended, type Message, type Opened } from "sporegate-client";

declare class NodeSocket {
  constructor(address: string, protocols?: string | string[], options?: { headers?: object });
  readonly readyState: 0 | 1 | 2 | 3;
  send(data: string | ArrayBuffer | ArrayBufferView, then?: (error?: Error) => void): void;
  close(code?: number, reason?: string): void;
}

const client: Client = connect("ws://127.0.0.1:8080/websocket/chat", {
  WebSocket: NodeSocket,
  token: async () => "a.b.c",
  protocols: ["chat.v1"],
  minDelay: 100,
  maxDelay: 10_000,
  timeout: 5000,
  silence: 45_000,
  buffer: 10,
  onmessage(message: Message) {
    const length: number = typeof message === "string" ? message.length : message.byteLength;
    return length;
  },
  onopen({ resumed, refused }: Opened) {
    if (!resumed && refused === "expired") client.queue.length = 0;
  },
  ondown({ code, reason, opened, retryIn }: Down) {
    const text: string = `${code} ${reason} ${opened} ${retryIn.toFixed()}`;
    return text;
  },
  onend({ code, reason }: Ended) {
    const text: string = `${code} ${reason}`;
    return text;
  },
});

connect("ws://127.0.0.1/");
connect("ws://127.0.0.1/", { token: () => undefined });
const taken: boolean = client.send("text") && client.send(new Uint8Array(2)) && client.send(new ArrayBuffer(2));
const secret: string | undefined = client.clientId;
const count: number = client.received;
const ended: boolean = client.state === "ended";
client.reconnect();
client.close();

// @ts-expect-error: an address is needed
connect();
// @ts-expect-error: a token is text
connect("ws://127.0.0.1/", { token: () => 7 });
// @ts-expect-error: it is a function
connect("ws://127.0.0.1/", { token: "a.b.c" });
// @ts-expect-error: no such option
connect("ws://127.0.0.1/", { onMessage() {} });
// @ts-expect-error: not a class of sockets
connect("ws://127.0.0.1/", { WebSocket: Date });
// @ts-expect-error: objects are not messages
client.send({ type: "say" });
// @ts-expect-error: counted by the client alone
client.received = 0;
// @ts-expect-error: no such state
client.state === "closed";

export { count, ended, secret, taken };
