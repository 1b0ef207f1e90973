// Which messages and disconnects this module wants. A matcher only describes; the gateway evaluates it.

import * as gateway from "sporegate:gateway/listeners@1.0.0";
import { asking } from "./errors.js";
import { wellFormed } from "./text.js";

/** Conditions that must all hold. Each method gives a new matcher; `listen` puts it into force. */
export class Matcher {
  constructor(private readonly matcher: gateway.MessageMatcher) {}

  /** And it is text. */
  text(): Matcher {
    return this.with({ tag: "is-text" });
  }

  /** And it is binary. */
  binary(): Matcher {
    return this.with({ tag: "is-binary" });
  }

  /** And it is exactly this text. */
  textEquals(text: string): Matcher {
    return this.with({ tag: "text-equals", val: wellFormed(text) });
  }

  /** And it is text that begins so. */
  textPrefix(prefix: string): Matcher {
    return this.with({ tag: "text-prefix", val: wellFormed(prefix) });
  }

  /** And it is text with this in it. */
  textContains(part: string): Matcher {
    return this.with({ tag: "text-contains", val: wellFormed(part) });
  }

  /** And it is text, of at most 8 KiB, that this pattern finds something in. Linear time: no back-references, no look-around. */
  textRegex(pattern: string): Matcher {
    return this.with({ tag: "text-regex", val: wellFormed(pattern) });
  }

  /** And it is binary that begins so. */
  binaryPrefix(prefix: Uint8Array): Matcher {
    return this.with({ tag: "binary-prefix", val: prefix });
  }

  /** And it is JSON that has something at this pointer (RFC 6901, e.g. `/type`). */
  jsonExists(pointer: string): Matcher {
    return this.json(pointer, { tag: "exists" });
  }

  /** And it is JSON whose part at this pointer equals the value. */
  jsonEquals(pointer: string, value: unknown): Matcher {
    return this.json(pointer, { tag: "equals", val: JSON.stringify(value) });
  }

  /** And it is JSON whose part at this pointer equals one of the values. */
  jsonOneOf(pointer: string, values: Iterable<unknown>): Matcher {
    return this.json(pointer, { tag: "one-of", val: Array.from(values, (value) => JSON.stringify(value)) });
  }

  /** And the client has this role, or another one named so. */
  role(role: string): Matcher {
    return new Matcher({ ...this.matcher, roles: [...this.matcher.roles, wellFormed(role)] });
  }

  /**
   * Adds a listener for these messages. The name is 1-64 of `[a-z0-9-]`; one that is taken gets the new matcher.
   * A higher priority is called first. Throws a `GatewayError`: `invalid-argument`, `denied`, `limit-exceeded`.
   */
  listen(name: string, { priority = 0 }: { priority?: number } = {}): void {
    asking(() => gateway.addMessageListener(wellFormed(name), this.matcher, priority));
  }

  private json(pointer: string, test: gateway.JsonTest): Matcher {
    return this.with({ tag: "json", val: { pointer: wellFormed(pointer), test } });
  }

  private with(test: gateway.ContentTest): Matcher {
    return new Matcher({ ...this.matcher, content: [...this.matcher.content, test] });
  }
}

/**
 * Messages of clients on a path: `/rooms/{room}/*` has literal segments, `{name}` for one segment, and a final `*`
 * for the rest. Without a path every message on the paths granted to this module.
 */
export function match(path?: string): Matcher {
  return new Matcher({ path: path && wellFormed(path), content: [], roles: [] });
}

/** Removes a message listener; `not-found` if there is none. */
export function stopListening(name: string): void {
  asking(() => gateway.removeMessageListener(wellFormed(name)));
}

/** Adds a disconnect listener, for clients on a path or on all granted paths. */
export function listenForDisconnects(name: string, path?: string): void {
  asking(() => gateway.addDisconnectListener(wellFormed(name), path && wellFormed(path)));
}

/** Removes a disconnect listener; `not-found` if there is none. */
export function stopListeningForDisconnects(name: string): void {
  asking(() => gateway.removeDisconnectListener(wellFormed(name)));
}
