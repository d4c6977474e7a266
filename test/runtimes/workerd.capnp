using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "suite", worker = .suite),
    # the sandbox is on loopback, which a worker reaches only where it is let
    (name = "internet", network = (allow = ["public", "private"]))
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "suite")]
);

const suite :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.workerd.js")],
  compatibilityDate = "2026-11-01"
);
