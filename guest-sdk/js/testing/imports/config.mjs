// `wasi:config/store`, with the values that the test has given.

import { current } from "../state.mjs";

export const get = (key) => current.gateway.config[key];
export const getAll = () => Object.entries(current.gateway.config);
