// The frontend's rule for when to show invented data (frontend contract §1.7), in our own words.
const TIMEOUT_MS = 10000;
const address = new URLSearchParams(location.search).get("api");
const http = axios.create({ baseURL: `${address}/api/v1`, timeout: TIMEOUT_MS });

// Set by the first failure that looks like a lost backend; from then on the mocked calls ask the network no more.
let backendLost = false;

function meansLost(error) {
  return error.code === "ECONNABORTED" || error.code === "ERR_NETWORK" || !error.response;
}

async function mocked(request, invent) {
  if (backendLost) return { source: "mock", body: invent() };
  try {
    return { source: "live", body: (await request()).data };
  } catch (error) {
    if (!meansLost(error)) throw error;
    backendLost = true;
    return { source: "mock", body: invent() };
  }
}

async function unmocked(request) {
  const response = await request();
  backendLost = false;
  return { source: "live", body: response.data };
}

const inventedEvents = () => ({ data: { events: [{ title: "An invented concert" }] } });

const calls = {
  events: () => mocked(() => http.get("/events"), inventedEvents),
  noEvent: () => mocked(() => http.get("/events/999999"), () => ({ data: { event: { title: "An invented event" } } })),
  wishlist: () => mocked(() => http.get("/wishlist"), inventedEvents),
  categories: () => unmocked(() => http.get("/articles/categories")),
  login: (email, password) =>
    mocked(() => http.post("/auth/login", { email, password }), () => ({ data: { user: { name: "An invented user" } } })),
};
