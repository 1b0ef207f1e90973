// Counts what clients say, and keeps the numbers across a hot swap.

import { jsonState, listenForDisconnects, listener, match } from "@sporegate/guest";

let total = 0;
let clients = new Map<string, number>();

export default listener({
  start() {
    match().listen("counter");
    listenForDisconnects("forget");
  },

  onMessage(event) {
    if (event.message === "count") {
      const yours = (clients.get(event.client.id) ?? 0) + 1;
      clients.set(event.client.id, yours);
      total += 1;
      event.replyJson({ yours, total });
    } else if (event.message === "total") {
      event.replyJson({ total, clients: clients.size });
    } else {
      event.replyJson({ error: "say count or total" });
    }
    return "stop";
  },

  onDisconnect(event) {
    clients.delete(event.client.id);
  },
});

export const state = jsonState({
  schema: 1,
  save: () => ({ total, clients: Object.fromEntries([...clients].sort(([a], [b]) => (a < b ? -1 : 1))) }),
  load(value) {
    const numbers = value as { total: unknown; clients: unknown } | null;
    const each = Object.entries(Object(numbers?.clients)) as [string, unknown][];
    if (!isCount(numbers?.total) || !isObject(numbers.clients) || !each.every((one) => isCount(one[1]))) {
      throw new Error('the state is not {"total": N, "clients": {"<client id>": N, …}}');
    }
    total = numbers.total;
    clients = new Map(each as [string, number][]);
  },
});

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const isObject = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
