// Drives an unmodified @supabase/auth-js against a live issuer; prints what it saw and what went over the wire.
import { pathToFileURL } from "node:url";

const [library, url, email, password] = process.argv.slice(2);
const module = await import(pathToFileURL(library).href);
const { AuthClient } = module.default ?? module;
const wire = [];

async function recorded(input, init = {}) {
  const response = await fetch(input, init);
  const path = String(input).replace(url, "");
  const asked = { method: init.method ?? "GET", path, headers: Object.fromEntries(new Headers(init.headers)), body: init.body ?? null };
  const answered = { status: response.status, headers: Object.fromEntries(response.headers), body: await response.clone().text() };
  wire.push({ asked, answered });
  return response;
}

function client() {
  const headers = { apikey: "sb_publishable_demo", Authorization: "Bearer sb_publishable_demo", "X-Client-Info": "auth-js/2.109.0" };
  return new AuthClient({ url, headers, fetch: recorded, persistSession: false, autoRefreshToken: false });
}

const wrongAs = ({ error }) => error && { name: error.name, code: error.code ?? null, status: error.status ?? null };
const seen = {};
const here = client(), there = client();

seen.wrong = wrongAs(await here.signInWithPassword({ email, password: "not-this-one" }));
const signedIn = await here.signInWithPassword({ email, password });
seen.signedIn = { error: wrongAs(signedIn), id: signedIn.data.user?.id, expiresIn: signedIn.data.session?.expires_in };
seen.user = (await here.getUser()).data.user;
const claims = await here.getClaims();
seen.claims = { error: wrongAs(claims), sub: claims.data?.claims.sub, alg: claims.data?.header.alg };
const updated = await here.updateUser({ data: { full_name: "Ann Lee" } });
seen.updated = { error: wrongAs(updated), name: updated.data.user?.user_metadata.full_name };
seen.weak = wrongAs(await here.updateUser({ password: "x" }));
const before = signedIn.data.session.refresh_token;
const refreshed = await here.refreshSession();
seen.refreshed = { error: wrongAs(refreshed), id: refreshed.data.user?.id, rotated: refreshed.data.session?.refresh_token !== before };
seen.raced = wrongAs(await client().refreshSession({ refresh_token: before }));
seen.unknown = wrongAs(await client().refreshSession({ refresh_token: "made-up" }));
seen.signUp = wrongAs(await client().signUp({ email: `new-${email}`, password: "long-enough" }));

await there.signInWithPassword({ email, password });
seen.others = wrongAs(await there.signOut({ scope: "others" }));
seen.afterOthers = { here: wrongAs(await here.getUser()), there: wrongAs(await there.getUser()) };
seen.signedOut = wrongAs(await there.signOut());
seen.session = (await there.getSession()).data.session;
const left = wire.findLast(({ asked }) => asked.path.startsWith("/logout")).asked.headers.authorization.slice(7);
seen.afterSignOut = wrongAs(await client().getUser(left));
console.log(JSON.stringify({ seen, wire }));
