// What may be larger than check-shape.mjs allows, how large it is, and why. These lists only shrink.

/** Functions, as `file:name`. */
export const longFunctions = {
  "packages/edge-agent/src/queue/stores/create-log-cleaner.node.ts:createLogCleaner": {
    lines: 81,
    why: "one closure owns the state and its invariants",
  },
  "demo/src/carry-on/buttons.ts:connectButtons": {
    lines: 96,
    why: "connects each button of one page, around their shared state",
  },
  "demo/src/train-together/main.ts:start": { lines: 128, why: "a program from top to bottom" },
  "packages/cloud/src/big-model/batcher.ts:createBatcher": {
    lines: 96,
    why: "one closure owns the state and its invariants",
  },
  "packages/cloud/src/cli/aggregate-command.node.ts:run": { lines: 96, why: "a program from top to bottom" },
  "packages/cloud/src/federation/create-federation.ts:createFederation": {
    lines: 153,
    why: "composes parts and returns one short method for each call",
  },
  "packages/cloud/src/federation/federation-service.ts:federationService": {
    lines: 233,
    why: "routes of one service around their shared state; split by route next",
  },
  "packages/cloud/src/federation/log/directory-federation-log.node.ts:directoryFederationLog": {
    lines: 122,
    why: "one storage adapter: a method per operation around one open resource",
  },
  "packages/cloud/src/federation/log/open-log.ts:openLog": {
    lines: 87,
    why: "one procedure from its first step to its last",
  },
  "packages/cloud/src/federation/log/replay-log.ts:replayLog": {
    lines: 85,
    why: "one closure owns the state and its invariants",
  },
  "packages/cloud/src/federation/protocol/control-socket.ts:controlSocket": {
    lines: 94,
    why: "one route: its closure owns the sockets of each client",
  },
  "packages/cloud/src/federation/rounds/create-rounds.ts:createRounds": {
    lines: 216,
    why: "one closure owns the state and its invariants; split by state next",
  },
  "packages/cloud/src/federation/rounds/recompute-model.ts:recomputeModel": {
    lines: 84,
    why: "one procedure from its first step to its last",
  },
  "packages/cloud/src/federation/rounds/round-journal.ts:createRoundJournal": {
    lines: 145,
    why: "one closure owns the state and its invariants",
  },
  "packages/cloud/src/federation/rounds/secure-rounds.ts:createSecureRounds": {
    lines: 154,
    why: "one closure owns the state and its invariants; split by state next",
  },
  "packages/cloud/src/federation/sedna/sedna-aggregation.ts:sednaAggregation": {
    lines: 128,
    why: "routes of one service around their shared state; split by route next",
  },
  "packages/cloud/src/federation/update-pipeline.ts:createUpdatePipeline": {
    lines: 134,
    why: "the stages of one pipeline, in order",
  },
  "packages/cloud/src/federation/uploads/upload-slots.ts:createUploadSlots": {
    lines: 175,
    why: "one closure owns the state and its invariants; split by state next",
  },
  "packages/cloud/src/http/create-cloud.ts:createCloud": {
    lines: 181,
    why: "combines services: middleware, health, metrics, and drain in order",
  },
  "packages/cloud/src/http/upgrades.node.ts:acceptSocketUpgrades": {
    lines: 91,
    why: "one closure owns the state and its invariants",
  },
  "packages/cloud/src/mistnet/mistnet-service.ts:mistnetService": {
    lines: 160,
    why: "routes of one service around their shared state; split by route next",
  },
  "packages/cloud/src/models/publish-model.node.ts:publishModel": {
    lines: 85,
    why: "one procedure from its first step to its last",
  },
  "packages/cloud/src/samples/sample-service.ts:sampleService": {
    lines: 142,
    why: "routes of one service around their shared state; split by route next",
  },
  "packages/cloud/src/simulate/run-simulation.ts:runSimulation": {
    lines: 101,
    why: "one procedure from its first step to its last",
  },
  "packages/cloud/src/simulate/simulated-client.ts:startSimulatedClient": {
    lines: 123,
    why: "one closure owns the state and its invariants",
  },
  "packages/core/src/adapters/prometheus.ts:createMetrics": {
    lines: 112,
    why: "one closure owns the state and its invariants",
  },
  "packages/core/src/adapters/s3/s3-weights.ts:s3Weights": {
    lines: 100,
    why: "one storage adapter: a method per operation around its signing and its clock",
  },
  "packages/core/src/estimator/onnx-estimator.ts:createOnnxEstimator": {
    lines: 134,
    why: "one closure owns the state and its invariants",
  },
  "packages/core/src/federated-learning/create-federated-learning.ts:createFederatedLearning": {
    lines: 91,
    why: "composes parts and returns one short method for each call",
  },
  "packages/core/src/federated-learning/run-federated-client.ts:runFederatedClient": {
    lines: 190,
    why: "one closure owns the state and its invariants; split by state next",
  },
  "packages/core/src/federated-learning/run-round.ts:runRound": {
    lines: 142,
    why: "one closure owns the state and its invariants",
  },
  "packages/core/src/federated-learning/run-secure-aggregation.ts:runSecureAggregation": {
    lines: 95,
    why: "one closure owns the state and its invariants",
  },
  "packages/core/src/joint-inference/run-source.ts:runSource": {
    lines: 96,
    why: "one closure owns the state and its invariants",
  },
  "packages/edge-agent/src/agent/create-edge-agent.ts:createEdgeAgent": {
    lines: 130,
    why: "composes parts and returns one short method for each call",
  },
  "packages/edge-agent/src/agent/create-sample-uploader.ts:createSampleUploader": {
    lines: 107,
    why: "one closure owns the state and its invariants",
  },
  "packages/edge-agent/src/agent/elect-leader.ts:electLeader": {
    lines: 92,
    why: "one closure owns the state and its invariants",
  },
  "packages/edge-agent/src/agent/open-model.ts:openModel": {
    lines: 131,
    why: "one closure owns the state and its invariants",
  },
  "packages/edge-agent/src/big-model/big-model.ts:bigModel": {
    lines: 83,
    why: "composes parts and returns one short method for each call",
  },
  "packages/edge-agent/src/federation/federation-transport.ts:federationTransport": {
    lines: 134,
    why: "composes parts and returns one short method for each call",
  },
  "packages/edge-agent/src/federation/fetch-parameters.ts:createParameterFetcher": {
    lines: 115,
    why: "one closure owns the state and its invariants",
  },
  "packages/edge-agent/src/models/create-model-store.ts:createModelStore": {
    lines: 250,
    why: "one closure owns the state and its invariants; split by state next",
  },
  "packages/edge-agent/src/models/model-download.ts:downloadFile": {
    lines: 177,
    why: "one closure owns the state and its invariants; split by state next",
  },
  "packages/edge-agent/src/queue/create-sender.ts:createSender": {
    lines: 228,
    why: "one closure owns the state and its invariants; split by state next",
  },
  "packages/edge-agent/src/queue/item-store.ts:createItemStore": {
    lines: 170,
    why: "one closure owns the state and its invariants; split by state next",
  },
  "packages/edge-agent/src/queue/open-queue.ts:openQueue": {
    lines: 203,
    why: "one closure owns the state and its invariants; split by state next",
  },
  "packages/edge-agent/src/queue/pending-items.ts:createPendingItems": {
    lines: 92,
    why: "one closure owns the state and its invariants",
  },
  "packages/edge-agent/src/queue/stores/file-queue-store.node.ts:fileQueueStore": {
    lines: 210,
    why: "one storage adapter: a method per operation around one open resource",
  },
  "packages/edge-agent/src/supervisor/worker-slot.ts:createWorkerSlot": {
    lines: 107,
    why: "one closure owns the state and its invariants",
  },
  "packages/edge-agent/src/queue/stores/idb-queue-store.browser.ts:idbQueueStore": {
    lines: 192,
    why: "one storage adapter: a method per operation around one open resource",
  },
  "packages/edge-agent/src/queue/stores/create-log-appender.node.ts:createLogAppender": {
    lines: 144,
    why: "one storage adapter: a method per operation around one open resource",
  },
  "packages/edge-agent/src/supervisor/hosted-model.ts:openHostedModel": {
    lines: 130,
    why: "one closure owns the state and its invariants",
  },
  "packages/edge-agent/src/telemetry/sedna-reporter.ts:createSednaReporter": {
    lines: 106,
    why: "one closure owns the state and its invariants",
  },
  "packages/edge-agent/src/training/block-store.ts:createBlockStore": {
    lines: 108,
    why: "one closure owns the state and its invariants",
  },
  "packages/edge-agent/src/training/head-estimator.ts:headEstimator": {
    lines: 148,
    why: "one closure owns the state and its invariants",
  },
  "packages/edge-agent/src/training/sample-sets.ts:createSampleSets": {
    lines: 88,
    why: "one closure owns the state and its invariants",
  },
  "packages/edge-agent/src/training/tfjs-estimator.ts:tfjsEstimator": {
    lines: 138,
    why: "one closure owns the state and its invariants",
  },
  "packages/edge-agent/src/updates/create-model-slot.ts:createModelSlot": {
    lines: 89,
    why: "one closure owns the state and its invariants",
  },
  "packages/edge-agent/src/updates/create-updater.ts:createUpdater": {
    lines: 178,
    why: "one closure owns the state and its invariants; split by state next",
  },
  "packages/edge-agent/src/updates/shadow-candidate.ts:shadowCandidate": {
    lines: 104,
    why: "one closure owns the state and its invariants",
  },
  "packages/wasm-kernels/src/gallery/webgpu/gallery-matcher.ts:galleryMatcher": {
    lines: 100,
    why: "creates GPU resources and returns the calls that use them",
  },
  "packages/wasm-kernels/src/gallery/webgpu/webgpu-gallery.ts:webgpuGallery": {
    lines: 102,
    why: "creates GPU resources and returns the calls that use them",
  },
  "packages/wasm-kernels/src/training/head-trainer.ts:createHeadTrainer": {
    lines: 98,
    why: "one closure owns the state and its invariants",
  },
  "packages/wasm-kernels/src/training/wasm/head-store.ts:wasmHeadStore": {
    lines: 141,
    why: "lays out kernel memory and returns the calls into it",
  },
  "packages/wasm-kernels/src/vectors/wasm/bucket-store.ts:wasmBucketStore": {
    lines: 116,
    why: "lays out kernel memory and returns the calls into it",
  },
  "packages/wasm-kernels/src/vectors/wasm/accumulator-store.ts:wasmAccumulatorStore": {
    lines: 92,
    why: "lays out kernel memory and returns the calls into it",
  },
};

/** Files. */
export const longFiles = {
  "packages/edge-agent/src/models/model-download.test.ts": {
    lines: 303,
    why: "tests of one unit that share their setup",
  },
  "bench/federated/malicious.ts": { lines: 400, why: "one benchmark with its scenarios" },
  "packages/cloud/src/big-model/big-model-service.test.ts": {
    lines: 340,
    why: "tests of one unit that share their setup",
  },
  "packages/cloud/src/federation/federation-service.ts": { lines: 314, why: "one closure of the list above" },
  "packages/cloud/src/federation/protocol/control-socket.test.ts": {
    lines: 312,
    why: "tests of one unit that share their setup",
  },
  "packages/cloud/src/federation/sessions/enrolled-sessions.test.ts": {
    lines: 324,
    why: "tests of one unit that share their setup",
  },
  "packages/cloud/src/http/serve-sockets.test.ts": {
    lines: 384,
    why: "tests of one unit that share their setup",
  },
  "packages/core/src/federated-learning/create-federated-learning.test.ts": {
    lines: 385,
    why: "tests of one unit that share their setup",
  },
  "packages/core/src/joint-inference/joint-inference.test.ts": {
    lines: 315,
    why: "tests of one unit that share their setup",
  },
  "packages/core/src/wire/federation-parsers.test.ts": {
    lines: 435,
    why: "tests of one unit that share their setup",
  },
  "packages/core/src/wire/sedna-aggregation.test.ts": {
    lines: 326,
    why: "tests of one unit that share their setup",
  },
  "packages/edge-agent/src/agent/create-edge-agent.test.ts": {
    lines: 343,
    why: "tests of one unit that share their setup",
  },
  "packages/edge-agent/src/models/create-model-store.test.ts": {
    lines: 341,
    why: "tests of one unit that share their setup",
  },
  "packages/edge-agent/src/models/create-model-store.ts": {
    lines: 314,
    why: "one closure of the list above",
  },
  "packages/edge-agent/src/queue/create-sender.test.ts": {
    lines: 432,
    why: "tests of one unit that share their setup",
  },
  "packages/edge-agent/src/supervisor/supervise-model.test.ts": {
    lines: 361,
    why: "tests of one unit that share their setup",
  },
  "packages/edge-agent/src/updates/create-updater.test.ts": {
    lines: 436,
    why: "tests of one unit that share their setup",
  },
  "packages/edge-agent/test/electron.test.ts": {
    lines: 324,
    why: "tests of one scenario that share their setup",
  },
  "packages/edge-agent/test/ffmpeg-sources.test.ts": {
    lines: 376,
    why: "tests of one unit that share their setup",
  },
  "packages/wasm-kernels/src/training/head-trainer.suite.ts": {
    lines: 383,
    why: "one suite of a port, read as one list of promises",
  },
  "packages/wasm-kernels/src/vectors/averaging.suite.ts": {
    lines: 398,
    why: "one suite of a port, read as one list of promises",
  },
  "testing/end-to-end/secure-federation.test.ts": {
    lines: 323,
    why: "tests of one scenario that share their setup",
  },
  "testing/fakes/fake-federation.ts": {
    lines: 304,
    why: "one fake of a port, with its plan and its samples",
  },
  "testing/suites/trainable-estimator-suite.ts": {
    lines: 409,
    why: "one suite of a port, read as one list of promises",
  },
};
