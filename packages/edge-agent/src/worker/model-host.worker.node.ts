// A Worker of Node that opens the model that it is told to: what `superviseModel()` starts where it is given
// no other.
import { exposeModelHost } from "./expose-model-host.ts";

exposeModelHost();
