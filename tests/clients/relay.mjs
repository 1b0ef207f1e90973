// A line to a gateway that can be cut, and led to another one.
//
// Invariant: its own address never changes, so that a client comes back to where it was.

import { once } from "node:events";
import { connect, createServer } from "node:net";

/** Starts one to `address`, such as 127.0.0.1:8080. */
export async function relay(address) {
  const lines = new Set();
  let target = address;
  const server = createServer((near) => {
    lines.add(near);
    near.on("close", () => lines.delete(near)).on("error", () => {});
    if (!target) {
      near.destroy();
      return;
    }
    const [host, port] = target.split(":");
    const far = connect(Number(port), host);
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy()).on("error", () => {});
    near.pipe(far).pipe(near);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `127.0.0.1:${server.address().port}`,
    /** Breaks all connections. */
    cut: () => lines.forEach((line) => line.destroy()),
    /** Where new connections go: to another address, or with undefined nowhere. */
    to: (other) => (target = other),
    close() {
      server.close();
      lines.forEach((line) => line.destroy());
    },
  };
}
