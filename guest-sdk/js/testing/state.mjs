// What all parts of the test gateway share: there is one at a time, as a component has one.

/** The gateway that the imports speak to. */
export const current = { gateway: undefined };

/** An exception as a component's import throws it. */
export const refusal = (tag, val) => Object.assign(new Error(tag), { payload: { tag, val } });
