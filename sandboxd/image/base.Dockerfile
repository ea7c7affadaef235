# The base of the sandbox image where an image registry is reachable. Context: this folder and `toolchain`.
ARG DEBIAN=trixie
FROM debian:${DEBIAN}-slim AS build
# The engine keeps this stage as an image without a name; set-up removes it by the label.
LABEL containerized-agent.stage=build
COPY dpkg.cfg /etc/dpkg/dpkg.cfg.d/sandbox
COPY packages.txt /tmp/
RUN apt-get update -q \
  && sed '/^#/d' /tmp/packages.txt | xargs apt-get install -qy --no-install-recommends
COPY provision.sh /tmp/
COPY toolchain /tmp/toolchain
RUN sh /tmp/provision.sh /tmp/toolchain

# One layer, without what the steps above removed again.
FROM scratch
COPY --from=build / /
