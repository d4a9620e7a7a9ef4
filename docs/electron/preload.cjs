// The only function of the main process that the page may call.
const { contextBridge, ipcRenderer } = require("electron");

contextBridge.exposeInMainWorld("mainProcess", {
  bigModel: (picture) => ipcRenderer.invoke("sedna:big-model", picture),
});
