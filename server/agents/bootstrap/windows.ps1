# Fetch the coder agent from its server, and run it. May be run any number of times.
$ErrorActionPreference = "Stop"
$ProgressPreference = "SilentlyContinue"
[Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12

$url = "${ACCESS_URL}bin/coder-${OS}-${ARCH}.exe"
$env:CODER_AGENT_URL = "${ACCESS_URL}"
$env:CODER_AGENT_AUTH = "${AUTH_TYPE}"

$folder = Join-Path ([IO.Path]::GetTempPath()) ("coder." + [guid]::NewGuid().ToString("N"))
New-Item -ItemType Directory -Path $folder | Out-Null
$agent = Join-Path $folder "coder.exe"

$wait = 1
while ($true) {
    try {
        Invoke-WebRequest -UseBasicParsing -Uri $url -OutFile $agent
        break
    } catch {
        [Console]::Error.WriteLine("coder: cannot fetch $url ($($_.Exception.Message)); trying again in $($wait)s")
        Start-Sleep -Seconds $wait
        $wait = [Math]::Min($wait * 2, 30)
    }
}

& $agent agent
exit $LASTEXITCODE
