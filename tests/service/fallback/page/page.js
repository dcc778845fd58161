const element = (id) => document.getElementById(id);

function show(source, message, titles) {
  element("source").className = source;
  element("message").textContent = message;
  element("titles").replaceChildren(...titles.map((title) => Object.assign(document.createElement("li"), { textContent: title })));
  // Last: whoever waits for the source finds the rest in place.
  element("source").textContent = source;
}

async function run(call) {
  element("source").textContent = "asking";
  try {
    const { source, body } = await call();
    show(source, body.message ?? "", (body.data.events ?? []).map((event) => event.title));
  } catch (error) {
    show("error", error.response.data.message, []);
  }
}

element("events").addEventListener("click", () => run(calls.events));
element("no-event").addEventListener("click", () => run(calls.noEvent));
element("wishlist").addEventListener("click", () => run(calls.wishlist));
element("categories").addEventListener("click", () => run(calls.categories));
element("login").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  run(() => calls.login(form.get("email"), form.get("password")));
});
