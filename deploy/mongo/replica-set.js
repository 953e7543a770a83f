// Run inside the container at each start, by start.sh. Does what is still missing, so that a start that was
// cut off anywhere is completed by the next one, and brings the applications' password up to date.
// Until the first user exists, mongod lets a connection from its own machine set it up.

const PORT = 27017;
const admin = db.getSiblingDB("admin");
const { MONGO_HOST, MONGO_ROOT_PASSWORD, MONGO_APP_PASSWORD } = process.env;

function signIn() {
  try {
    admin.auth("root", MONGO_ROOT_PASSWORD);
    return true;
  } catch (error) {
    if (error.codeName !== "AuthenticationFailed") throw error;
    return false;
  }
}

function attempt(work, { unless }) {
  try {
    work();
  } catch (error) {
    if (!unless.includes(error.codeName)) throw error;
  }
}

let signedIn = signIn();
attempt(() => rs.initiate({ _id: "millrace", members: [{ _id: 0, host: `${MONGO_HOST}:${PORT}` }] }), {
  unless: ["AlreadyInitialized", "Unauthorized"],
});
while (!db.hello().isWritablePrimary) sleep(100);

if (!signedIn) {
  attempt(() => admin.createUser({ user: "root", pwd: MONGO_ROOT_PASSWORD, roles: ["root"] }), {
    unless: ["Unauthorized"],
  });
  signedIn = signIn();
}
if (!signedIn) {
  print("MILLRACE_MONGO_ROOT_PASSWORD is not the one that this volume was made with");
  quit(1);
}

const databases = ["gateway", "orders", "chat", "reviews", "notifications"];
const app = { pwd: MONGO_APP_PASSWORD, roles: databases.map((name) => ({ role: "readWrite", db: name })) };
if (admin.getUser("millrace") === null) admin.createUser({ user: "millrace", ...app });
else admin.updateUser("millrace", app);
