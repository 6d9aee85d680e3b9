// Show whether an account is linked; if not, send the visitor to the service or show a device code.
const at = (id) => document.getElementById(id);
const provider = encodeURIComponent(document.body.dataset.provider);
const path = `/api/v2/external-auth/${provider}`;
let token = "";

const show = (id) => ["form", "linked", "out", "device"].forEach((one) => (at(one).hidden = one !== id));
const refuse = (text) => (at("refusal").textContent = text);

async function ask(method, where, body) {
  const headers = { "Content-Type": "application/json" };
  if (token) headers["Coder-Session-Token"] = token;
  const answer = await fetch(where, { method, headers, body: body && JSON.stringify(body) });
  const said = answer.status === 204 ? {} : await answer.json();
  if (answer.ok) return said;
  const refused = new Error(said.message || "The server refused.");
  throw Object.assign(refused, { status: answer.status, detail: said.detail });
}

async function begin() {
  try {
    const found = await ask("GET", path);
    document.querySelectorAll(".name").forEach((one) => (one.textContent = found.display_name));
    if (found.authenticated) {
      at("who").textContent = found.user ? ` ${found.user.login}` : "";
      return show("linked");
    }
    if (new URLSearchParams(location.search).has("failed")) refuse("The service did not agree. Try again.");
    if (!found.device) {
      at("go").href = `/external-auth/${provider}/callback`;
      return show("out");
    }
    // Waiting changes rows: it needs a session of this page, not only a cookie.
    if (!token) return show("form");
    await byDevice();
  } catch (refused) {
    if (refused.status === 401) return show("form");
    refuse(refused.message);
  }
}

async function byDevice() {
  const given = await ask("GET", `${path}/device`);
  at("there").textContent = at("there").href = given.verification_uri;
  at("code").textContent = given.user_code;
  show("device");
  const until = Date.now() + given.expires_in * 1000;
  let pause = given.interval;
  while (Date.now() < until) {
    await new Promise((done) => setTimeout(done, pause * 1000));
    try {
      await ask("POST", `${path}/device`, { device_code: given.device_code });
      return begin();
    } catch (refused) {
      if (refused.detail === "slow_down") pause += 5;
      else if (refused.detail !== "authorization_pending") throw refused;
    }
  }
  refuse("The code is too old. Reload the page for another one.");
}

at("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  refuse("");
  try {
    const login = { email: at("email").value, password: at("password").value };
    token = (await ask("POST", "/api/v2/users/login", login)).session_token;
    await begin();
  } catch (refused) {
    refuse(refused.message);
  }
});
begin();
