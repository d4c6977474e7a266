/** A client of the sandbox at an address. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { Layer } from "effect"
import { AwsCredentials, MeteringClient, MeteringConfig } from "effect-marketplace-metering"
import { SandboxServer } from "effect-marketplace-metering/sandbox"
import { region } from "../support/seller.js"

export const MeteringLive = (endpoint: string) =>
  MeteringClient.layer.pipe(
    Layer.provide([
      MeteringConfig.layer({ region, endpoint }),
      AwsCredentials.layerStatic(SandboxServer.defaultCredentials),
      FetchHttpClient.layer
    ])
  )
