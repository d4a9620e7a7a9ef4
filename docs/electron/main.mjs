// The entry point that Electron starts: "main" in the app's package.json.
import { fileURLToPath } from "node:url";
import * as electron from "electron";
import { startAgentApp } from "./agent-app.mjs";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

await startAgentApp(electron, {
  folder: path("dist"),
  preload: path("preload.cjs"),
  model: path("models/big.onnx"),
});
