// A server on Fedify with one person, @fed. What it hears is told at /heard, and it acts when told to at /act:
// that is all the tests need. `node server.mjs PORT` prints "ready" when it listens.

import { serve } from "@hono/node-server";
import {
  Accept, Activity, Announce, Create, createFederation, Delete, Endpoints, Follow, generateCryptoKeyPair, Image,
  InProcessMessageQueue, Like, MemoryKvStore, Mention, Note, Person, PUBLIC_COLLECTION, Tombstone, Undo, Update,
} from "@fedify/fedify";
import { Temporal } from "@js-temporal/polyfill";

// Fedify counts on Node 22; what Debian and its neighbours bring may lack these.
globalThis.navigator ??= { userAgent: `Node.js/${process.versions.node}` };
ArrayBuffer.prototype.transfer ??= function transfer(length = this.byteLength) {
  const moved = new Uint8Array(length);
  moved.set(new Uint8Array(this).subarray(0, length));
  return moved.buffer;
};

const port = Number(process.argv[2]);
const origin = `http://127.0.0.1:${port}`;
const pairs = [await generateCryptoKeyPair("RSASSA-PKCS1-v1_5"), await generateCryptoKeyPair("Ed25519")];
const heard = [];
const followers = new Map();
const notes = new Map();
let number = 0;

const federation = createFederation({
  kv: new MemoryKvStore(), queue: new InProcessMessageQueue({ pollInterval: { milliseconds: 100 } }),
  allowPrivateAddress: true, origin,
});

federation.setActorDispatcher("/users/{identifier}", async (context, identifier) => {
  if (identifier !== "fed") return null;
  const keys = await context.getActorKeyPairs(identifier);
  return new Person({
    id: context.getActorUri(identifier), preferredUsername: "fed", name: "Fed of Fedify",
    summary: "<p>Speaks by Fedify.</p>", url: new URL("/@fed", origin),
    inbox: context.getInboxUri(identifier), outbox: context.getOutboxUri(identifier),
    followers: context.getFollowersUri(identifier),
    endpoints: new Endpoints({ sharedInbox: context.getInboxUri() }),
    icon: new Image({ url: new URL("/fed.png", origin), mediaType: "image/png" }),
    publicKey: keys[0].cryptographicKey, assertionMethods: keys.map((key) => key.multikey),
  });
}).setKeyPairsDispatcher(() => pairs);

federation.setFollowersDispatcher("/users/{identifier}/followers", () => ({ items: [...followers.values()] }));
federation.setOutboxDispatcher("/users/{identifier}/outbox", () => ({ items: [] }));
federation.setObjectDispatcher(Note, "/notes/{id}", (_, { id }) => notes.get(id) ?? null);

federation.setInboxListeners("/users/{identifier}/inbox", "/inbox")
  .setSharedKeyDispatcher(() => ({ identifier: "fed" }))
  .on(Follow, async (context, follow) => {
    await keep(follow);
    const follower = await follow.getActor(context);
    followers.set(follower.id.href, { id: follower.id, inboxId: follower.inboxId, endpoints: follower.endpoints });
    await context.sendActivity({ identifier: "fed" }, follower, new Accept({
      id: fresh("accepts"), actor: context.getActorUri("fed"), object: follow,
    }));
  })
  .on(Activity, async (_, activity) => await keep(activity));

async function keep(activity) {
  heard.push(await activity.toJsonLd({ format: "compact" }));
}

function fresh(kind) {
  return new URL(`/${kind}/${++number}`, origin);
}

// Each act gives the object that came of it, so that a later one can be about it.
const acts = {
  async follow(context, { actor }) {
    const follow = new Follow({ id: fresh("follows"), actor: me(context), object: new URL(actor) });
    return await sent(context, await context.lookupObject(actor), follow);
  },
  async note(context, { text, replyTo, mention, name }) {
    const id = String(++number);
    const author = mention ? await context.lookupObject(mention) : null;
    const note = new Note({
      id: context.getObjectUri(Note, { id }), attribution: me(context), content: `<p>${text}</p>`,
      to: PUBLIC_COLLECTION, ccs: [context.getFollowersUri("fed"), ...(author ? [author.id] : [])],
      replyTarget: replyTo ? new URL(replyTo) : null, published: Temporal.Now.instant(),
      tags: author ? [new Mention({ href: author.id, name })] : [],
    });
    notes.set(id, note);
    const create = new Create({
      id: fresh("creates"), actor: me(context), object: note, to: PUBLIC_COLLECTION, ccs: note.ccIds,
    });
    await sent(context, "followers", create);
    if (author) await sent(context, author, create);
    return await note.toJsonLd();
  },
  async edit(context, { id, text }) {
    const note = notes.get(id.split("/").at(-1)).clone({ content: `<p>${text}</p>`, updated: Temporal.Now.instant() });
    notes.set(id.split("/").at(-1), note);
    return await sent(context, "followers", new Update({
      id: fresh("updates"), actor: me(context), object: note, to: PUBLIC_COLLECTION,
    }));
  },
  async remove(context, { id }) {
    notes.delete(id.split("/").at(-1));
    return await sent(context, "followers", new Delete({
      id: fresh("deletes"), actor: me(context), object: new Tombstone({ id: new URL(id) }), to: PUBLIC_COLLECTION,
    }));
  },
  async like(context, { id, author }) {
    return await sent(context, await context.lookupObject(author), new Like({
      id: fresh("likes"), actor: me(context), object: new URL(id),
    }));
  },
  async boost(context, { id, author }) {
    return await sent(context, await context.lookupObject(author), new Announce({
      id: fresh("boosts"), actor: me(context), object: new URL(id), to: PUBLIC_COLLECTION,
      cc: context.getFollowersUri("fed"),
    }));
  },
  async unlike(context, { id, author, like }) {
    return await sent(context, await context.lookupObject(author), new Undo({
      id: fresh("undos"), actor: me(context),
      object: new Like({ id: new URL(like), actor: me(context), object: new URL(id) }),
    }));
  },
};

const me = (context) => context.getActorUri("fed");

async function sent(context, whom, activity) {
  await context.sendActivity({ identifier: "fed" }, whom, activity, { immediate: true });
  return await activity.toJsonLd();
}

serve({ port, hostname: "127.0.0.1", fetch: answer }, () => console.log("ready"));

async function answer(request) {
  const { pathname } = new URL(request.url);
  if (pathname === "/heard") return Response.json(heard);
  if (pathname === "/act") {
    const { act, ...details } = await request.json();
    try {
      return Response.json(await acts[act](federation.createContext(new URL(origin), undefined), details));
    } catch (error) {
      return new Response(String(error.stack), { status: 500 });
    }
  }
  try {
    return await federation.fetch(request, { contextData: undefined });
  } catch (error) {
    console.error(error);
    return new Response(null, { status: 500 });
  }
}
