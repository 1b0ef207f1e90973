// `sporegate:gateway/clients`, answered by the test gateway.

import { current } from "../state.mjs";

export const basePath = () => "/websocket";
export const getClient = (id) => current.gateway.client(id)?.record;
export const getClientsOnPath = (path, cursor, limit) => current.gateway.page({ tag: "path", val: path }, cursor, limit);
export const getClientsOfUser = (username, cursor, limit) => current.gateway.page({ tag: "user", val: username }, cursor, limit);
export const getClientCount = () => BigInt(current.gateway.connected.length);
export const getClaims = (id) => current.gateway.claims(id);
export const sendMessage = (to, message) => current.gateway.send(to, message);
export const broadcast = (to, message, except) => BigInt(current.gateway.broadcast(to, message, except));
export const close = (id, code, reason) => current.gateway.close(id, code, reason);
export const flush = () => current.gateway.flush();
