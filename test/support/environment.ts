import * as effectVitest from "@effect/vitest"

/** Removes the AWS configuration of the machine. */
for (const name of Object.keys(process.env)) {
  if (name.startsWith("AWS_")) delete process.env[name]
}
process.env.AWS_CONFIG_FILE = "/dev/null"
process.env.AWS_SHARED_CREDENTIALS_FILE = "/dev/null"
process.env.AWS_EC2_METADATA_DISABLED = "true"

// `layer` of @effect/vitest replaces the methods of `it`, also for the files that run later in the same process
const { effect, flakyTest, it, layer, live, prop, scoped, scopedLive } = effectVitest
Object.assign(it, { effect, flakyTest, layer, live, prop, scoped, scopedLive })
