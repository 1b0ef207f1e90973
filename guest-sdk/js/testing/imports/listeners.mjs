// `sporegate:gateway/listeners`, answered by the test gateway.

import { current, refusal } from "../state.mjs";

const NAME = /^[a-z0-9-]{1,64}$/;

function add(map, name, value) {
  if (!NAME.test(name)) throw refusal("invalid-argument", `name: ${name}`);
  map.set(name, value);
}

function remove(map, name) {
  if (!map.delete(name)) throw refusal("not-found");
}

export const addMessageListener = (name, matcher, priority) => add(current.gateway.listeners, name, { matcher, priority });
export const removeMessageListener = (name) => remove(current.gateway.listeners, name);
export const addDisconnectListener = (name, path) => add(current.gateway.disconnectListeners, name, { path });
export const removeDisconnectListener = (name) => remove(current.gateway.disconnectListeners, name);
