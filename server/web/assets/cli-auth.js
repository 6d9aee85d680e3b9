// Log in, then make a key of its own for the terminal; the page keeps neither.
const at = (id) => document.getElementById(id);

async function post(path, token, body) {
  const headers = { "Content-Type": "application/json" };
  if (token) headers["Coder-Session-Token"] = token;
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body), credentials: "omit" });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.message || "The server refused.");
  return said;
}

at("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  at("refusal").textContent = "";
  try {
    const login = { email: at("email").value, password: at("password").value };
    const session = await post("/api/v2/users/login", "", login);
    const made = await post("/api/v2/users/me/keys", session.session_token, {});
    at("token").textContent = made.key;
    at("form").hidden = true;
    at("done").hidden = false;
  } catch (refused) {
    at("refusal").textContent = refused.message;
  }
});
