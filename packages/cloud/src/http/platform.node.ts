export { serve } from "./serve.node.ts";
