// Gives the gateway halves of surrogate pairs, wherever a text goes.

import { audience, clientsOnPath, clientsOfUser, getClient, listener, match } from "@sporegate/guest";

export default listener({
  start() {
    match().textContains("\ud800").listen("nobody");
    match("/halves/\udc00").role("\udfff").textEquals("\ud83c").listen("pattern");
    match().listen("halves");
  },

  onMessage(event) {
    const text = event.json<string>();
    if (text === "throw\ud800") throw new Error(`${"\ud83c\udf88".repeat(300)}\udc00`, { cause: text });
    if (text === "throw it") throw "\ud800";
    if (text === "close\ud800") return event.client.close(4900, text);
    event.reply(text);
    event.reply(console.log(text) ?? "logged");
    audience.clients([text]).send(text);
    audience.path(`/halves/${text}`).send(text, { except: [text] });
    audience.user(text).send(text);
    audience.role(text).send(text);
    event.reply(String([getClient(text), ...clientsOnPath(`/halves/${text}`), ...clientsOfUser(text)].length));
  },
});
