# Lints the Dockerfiles and the Compose file.
set -euo pipefail

for file in Dockerfile demo/Dockerfile; do
  echo "$file"
  npx --yes dockerfile-utils@0.16.3 lint "$file"
done
# Services stand in the order in which one reads them.
npx --yes dclint@3.1.0 docker-compose.yml --max-warnings 0 --disable-rule services-alphabetical-order service-keys-order
