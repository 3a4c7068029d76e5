# The binary is static and built outside, so nothing has to be below it: see .ci/image and docs/image.md.
FROM scratch

ARG TARGETARCH
COPY --chmod=0755 dist/${TARGETARCH}/aep-operator /aep-operator

ARG VERSION
ARG REVISION
ARG CREATED
LABEL org.opencontainers.image.title="aep-operator" \
      org.opencontainers.image.description="A Kubernetes operator that makes Adobe Experience Platform ingestion pipelines declarative" \
      org.opencontainers.image.source="https://github.com/aep-operator/aep-operator" \
      org.opencontainers.image.documentation="https://github.com/aep-operator/aep-operator/tree/main/docs" \
      org.opencontainers.image.vendor="The aep-operator authors" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"

# A number, since Kubernetes cannot tell whether a name is root's.
USER 65532:65532
ENTRYPOINT ["/aep-operator"]
CMD ["run"]
