// The one thing that the page may ask of the main process.
const { contextBridge, ipcRenderer } = require("electron");

contextBridge.exposeInMainWorld("mainProcess", {
  bigModel: (picture) => ipcRenderer.invoke("sedna:big-model", picture),
});
