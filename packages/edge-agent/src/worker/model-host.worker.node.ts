// The default Node Worker of `superviseModel()`. It opens the model that its owner selects.
import { exposeModelHost } from "./expose-model-host.ts";

exposeModelHost();
