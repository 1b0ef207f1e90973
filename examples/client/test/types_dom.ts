// The same in a page. Never run: package.test.mjs has it compiled, with the types of a browser.

import { connect } from "sporegate-client";

const client = connect(new URL("/websocket/chat", location.href), {
  WebSocket,
  onmessage: (message) => (document.title = typeof message === "string" ? message : `${message.byteLength} bytes`),
  ondown: ({ retryIn }) => (document.title = `again in ${retryIn} ms`),
});
addEventListener("online", () => client.reconnect());
