// `node --import @sporegate/guest/testing/register --test`: lets tests load listeners.

import { register } from "node:module";

register("./hooks.mjs", import.meta.url);
