import { exposeModelHost } from "@sedna-js/edge-agent";

exposeModelHost();
