-- Taken away instead of set to false: most manifests do not have it, so the application is in sync again.
obj.spec.suspend = nil
return obj
