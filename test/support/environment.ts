/** Whose machine this is, and which AWS account it has, is nothing that a test may depend on. */
for (const name of Object.keys(process.env)) {
  if (name.startsWith("AWS_")) delete process.env[name]
}
process.env.AWS_CONFIG_FILE = "/dev/null"
process.env.AWS_SHARED_CREDENTIALS_FILE = "/dev/null"
process.env.AWS_EC2_METADATA_DISABLED = "true"
