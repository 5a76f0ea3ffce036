"""The inventory's fields that are not columns: path in the report, title, kind.

The names of the leaves are the field's own (Android Management API, as the contract's device report uses them).
"""

from __future__ import annotations

from .values import Kind

__all__ = ["REPORT_FIELDS"]

# A table in text: one field a line, `path | title | kind`. `[]` any index, `.*` any key, `.**` a whole subtree.
_TABLE = """
identity.organization | Organisation | id
identity.enterprise | Enterprise | id
identity.site | Site | id
identity.group.parent | Group above | id
identity.group.site | Site of the group | id
identity.group.devices | Devices in the group | int
identity.group.enabled | Group enabled | bool
identity.group.createdAt | Group created | time
identity.group.updatedAt | Group updated | time
identity.license.activatedAt | License since | time
identity.license.expiresAt | License ends | time
identity.licensed | Licensed | time
identity.owner.email | Owner | text
identity.owner.name | Owner's name | text
identity.type | Family | enum
identity.subType | Resource | enum
identity.pushNotificationProvider | Push provider | id
identity.user.id | User id | id
identity.reportName | Name in the report | text
identity.reportUserName | User name in the report | text
identity.reportUser.accountIdentifier | Account | text
identity.ownership | Ownership | enum
identity.managementMode | Management mode | enum
identity.reportManagementMode | Mode in the report | enum
identity.previousDeviceNames | Previous names | text
identity.enrollmentTokenName | Enrolment token | text
identity.enrollmentTokenData | Enrolment token data | secret
identity.enterpriseSpecificId | Enterprise-specific id | id
identity.dpcMigrationInfo.additionalData | Migration data | text
identity.dpcMigrationInfo.previousDpc | Previous agent | text
state.enabled | Enabled | bool
state.online | Online | bool
state.stateHistory[].state | State | enum
state.stateHistory[].date | Since | time
state.stateHistory[].config.** | Details | tree
state.reportState | State in the report | enum
state.appliedState | State applied | enum
state.reportedAt | Reported, says device | time
state.enrollmentTime | Enrolled, says device | time
state.disabledReason.defaultMessage | Disabled because | text
state.disabledReason.localizedMessages.* | Disabled because | text
policy.assigned.id | Policy id (expanded) | id
policy.assigned.version | Assigned version | version
policy.assignments[].policyId | Policy id | id
policy.assignments[].policy.id | Policy id (expanded) | id
policy.assignments[].policy.name | Policy | text
policy.assignments[].policy.version | Version | version
policy.assignments[].priority | Priority | int
policy.status.name | Effective policy | text
policy.appliedPolicy.policyId | Applied policy id | id
policy.appliedPolicy.appliedAt | Applied at | time
policy.appliedPolicy.errorMessage | Error on applying | text
policy.policyName | Policy, says device | text
policy.appliedPolicyName | Applied, says device | text
policy.appliedPolicyVersion | Version, says device | version
policy.lastPolicySyncTime | Last policy sync | time
policy.effective.** | Effective policy in full | tree
compliance.lastPolicyComplianceReportTime | Last compliance report | time
compliance.nonComplianceDetails[].settingName | Setting | text
compliance.nonComplianceDetails[].nonComplianceReason | Reason | enum
compliance.nonComplianceDetails[].packageName | Package | text
compliance.nonComplianceDetails[].fieldPath | Field | text
compliance.nonComplianceDetails[].currentValue.** | Current value | tree
compliance.nonComplianceDetails[].installationFailureReason | Installation failed | enum
compliance.nonComplianceDetails[].specificNonComplianceReason | Specific reason | enum
compliance.nonComplianceDetails[].specificNonComplianceContext.defaultApplicationContext.** | Default app scope | tree
compliance.nonComplianceDetails[].specificNonComplianceContext.oncWifiContext.wifiGuid | Wi-Fi network | id
compliance.nonComplianceDetails[].specificNonComplianceContext.passwordPoliciesContext.** | Password scope | tree
software.apiLevel | API level | int
software.androidDevicePolicyVersionCode | Agent version code | int
software.androidDevicePolicyVersionName | Agent version | version
software.deviceKernelVersion | Kernel | text
software.bootloaderVersion | Bootloader | text
software.androidBuildTime | Build time | time
software.primaryLanguageCode | Language | text
software.deviceBuildSignature | Build signature | id
software.systemUpdateInfo.updateReceivedTime | Update received | time
hardware.hardware | Hardware | text
hardware.deviceBasebandVersion | Baseband | text
hardware.euiccChipInfo[].eid | eUICC EID | id
hardware.batteryShutdownTemperatures | Battery shuts down at | celsius
hardware.batteryThrottlingTemperatures | Battery throttles at | celsius
hardware.cpuShutdownTemperatures | CPU shuts down at | celsius
hardware.cpuThrottlingTemperatures | CPU throttles at | celsius
hardware.gpuShutdownTemperatures | GPU shuts down at | celsius
hardware.gpuThrottlingTemperatures | GPU throttles at | celsius
hardware.skinShutdownTemperatures | Skin shuts down at | celsius
hardware.skinThrottlingTemperatures | Skin throttles at | celsius
displays[].displayId | Display | int
displays[].name | Name | text
displays[].state | State | enum
displays[].width | Width px | int
displays[].height | Height px | int
displays[].density | Density dpi | int
displays[].refreshRate | Refresh Hz | int
network.wifi.enabled | Wi-Fi | bool
network.bluetooth.enabled | Bluetooth | bool
network.bluetooth.name | Bluetooth name | text
network.bluetooth.macAddress | Bluetooth MAC | id
network.dataEnabled | Mobile data | bool
network.dataRoamingEnabled | Data roaming | bool
network.phoneNumber | Number | text
network.iccId | ICCID | id
network.dataUsage.wifi.received | Wi-Fi received | bytes
network.dataUsage.wifi.sent | Wi-Fi sent | bytes
network.dataUsage.wifi.from | Counted from | time
network.dataUsage.wifi.to | Counted to | time
network.meid | MEID | id
network.telephonyInfos[].carrierName | Carrier | text
network.telephonyInfos[].phoneNumber | Number | text
network.telephonyInfos[].iccId | ICCID | id
network.telephonyInfos[].activationState | Activation | enum
network.telephonyInfos[].configMode | Configured by | enum
memory.freeRam | RAM free | bytes
memory.storages[].name | Storage | text
memory.storages[].total | Size | bytes
memory.storages[].free | Free | bytes
memory.memoryEvents[].createTime | At | time
memory.memoryEvents[].eventType | Event | enum
memory.memoryEvents[].byteCount | Bytes | bytes
power.charging | Charging | bool
power.powerManagementEvents[].createTime | At | time
power.powerManagementEvents[].eventType | Event | enum
power.powerManagementEvents[].batteryLevel | Battery | percent
power.hardwareStatusSamples[].createTime | At | time
power.hardwareStatusSamples[].batteryTemperatures | Battery °C | celsius
power.hardwareStatusSamples[].cpuTemperatures | CPU °C | celsius
power.hardwareStatusSamples[].gpuTemperatures | GPU °C | celsius
power.hardwareStatusSamples[].skinTemperatures | Skin °C | celsius
power.hardwareStatusSamples[].cpuUsages | CPU use % | percent
power.hardwareStatusSamples[].fanSpeeds | Fans RPM | int
security.postureDetails[].securityRisk | Risk | enum
security.postureDetails[].advice[].defaultMessage | Advice | text
security.postureDetails[].advice[].localizedMessages.* | Advice | text
security.commonCriteriaModeInfo.commonCriteriaModeStatus | Common Criteria mode | enum
security.commonCriteriaModeInfo.policySignatureVerificationStatus | Policy signature | enum
security.appliedPasswordPolicies[].passwordScope | Scope | enum
security.appliedPasswordPolicies[].passwordQuality | Quality | enum
security.appliedPasswordPolicies[].passwordMinimumLength | Least length | int
security.appliedPasswordPolicies[].passwordMinimumLetters | Least letters | int
security.appliedPasswordPolicies[].passwordMinimumLowerCase | Least lower case | int
security.appliedPasswordPolicies[].passwordMinimumUpperCase | Least upper case | int
security.appliedPasswordPolicies[].passwordMinimumNumeric | Least digits | int
security.appliedPasswordPolicies[].passwordMinimumSymbols | Least symbols | int
security.appliedPasswordPolicies[].passwordMinimumNonLetter | Least non-letters | int
security.appliedPasswordPolicies[].passwordHistoryLength | History | int
security.appliedPasswordPolicies[].passwordExpirationTimeout | Expires after | duration
security.appliedPasswordPolicies[].maximumFailedPasswordsForWipe | Wipe after failures | int
security.appliedPasswordPolicies[].requirePasswordUnlock | Require unlock | enum
security.appliedPasswordPolicies[].unifiedLockSettings | Unified lock | enum
settings.adbEnabled | ADB | bool
settings.developmentSettingsEnabled | Developer settings | bool
settings.encryptionStatus | Encryption | enum
settings.isDeviceSecure | Screen lock set | bool
settings.unknownSourcesEnabled | Unknown sources | bool
settings.verifyAppsEnabled | Verify apps | bool
settings.defaultApplicationInfo[].defaultApplicationType | Default for | enum
settings.defaultApplicationInfo[].packageName | Package | text
settings.defaultApplicationInfo[].defaultApplicationSettingAttempts[].packageName | Tried | text
settings.defaultApplicationInfo[].defaultApplicationSettingAttempts[].attemptOutcome | Outcome | enum
settings.systemProperties.* | System property | text
location.latitude | Latitude | number
location.longitude | Longitude | number
location.accuracy | Accuracy m | number
applications[].packageName | Package | text
applications[].displayName | Name | text
applications[].versionName | Version | version
applications[].versionCode | Version code | int
applications[].state | State | enum
applications[].applicationSource | Source | enum
applications[].installerPackageName | Installed by | text
applications[].userFacingType | Facing | enum
applications[].packageSha256Hash | SHA-256 | id
applications[].signingKeyCertFingerprints | Signing keys | id
applications[].signingKeyCerts[].signingKeyCertFingerprintSha256 | Signing key | id
applications[].events[].eventType | Event | enum
applications[].events[].createTime | At | time
applications[].keyedAppStates[].** | App states | tree
summary.model | Model | text
summary.manufacturer | Maker | text
summary.serialNumber | Serial | id
summary.imei | IMEI | id
summary.osVersion | OS | version
summary.battery | Battery | percent
summary.totalStorage | Storage | bytes
summary.availableStorage | Storage free | bytes
summary.totalMemory | RAM | bytes
summary.macAddress | MAC | id
summary.ipAddress | IP address | text
summary.managementMode | Management mode | enum
"""


def _read(table: str) -> tuple[tuple[str, str, Kind], ...]:
    rows = []
    for line in table.strip().splitlines():
        path, title, kind = (part.strip() for part in line.split("|"))
        rows.append((path, title, kind))
    return tuple(rows)


REPORT_FIELDS: tuple[tuple[str, str, Kind], ...] = _read(_TABLE)
