/** The pages of a sandbox for a browser. All data comes from the control API. */
import { render } from "preact"
import { App } from "./App.js"

const root = document.getElementById("app")
if (root !== null) render(<App />, root)
