<?php
// The php-soap client made from the served WSDL; only the two headers are added.
declare(strict_types=1);

$demo = json_decode(file_get_contents(getenv('DANCU_DEMO_JSON')), true, 512, JSON_THROW_ON_ERROR);
$systems = array_column($demo['systems'], null, 'systemCode');
$people = array_column($demo['citizens'], null, 'personalId');
$person = array_values(array_filter(
    $people,
    fn ($c) => $c['alive'] && $c['oldId'] && strlen($c['dateOfBirth']) === 10
))[0];

/** The headers of one call: a timestamp is never used twice. */
function signed(array $soap): string
{
    static $last = 0;
    $last = max((int) (microtime(true) * 1000), $last + 1);
    $hash = hash('sha256', $soap['serviceUrl'] . $soap['user'] . $last . $soap['secret']);
    return "Timestamp: $last\r\nAuthorization: Basic " . base64_encode($soap['user'] . ':' . $hash);
}

function birth(string $date): array
{
    return strlen($date) === 4 ? ['Nam' => $date] : ['NgayThangNam' => str_replace('-', '', $date)];
}

function request(array $system, string $service, array $citizen, array $changes): array
{
    $services = array_column($system['services'], null, 'code');
    $fitting = array_filter($system['procedures'], fn ($p) => in_array($service, $p['services'], true));
    $plan = array_values(array_filter($system['accounts'], fn ($a) => $a['kind'] === 'plan'))[0];
    return array_filter($changes + [
        'MaYeuCau' => bin2hex(random_bytes(16)),
        'MaDVC' => (array_values($fitting)[0] ?? $system['procedures'][0])['code'],
        'MaTichHop' => $services[$service]['maTichHop'] ?? null,
        'MaDonVi' => $system['unitCode'],
        'MaCanBo' => $plan['login'],
        'MaHoSo' => 'HS.2026-0004',
        'SoDinhDanh' => $citizen['personalId'],
        'HoVaTen' => $citizen['fullName'],
        'NgayThangNamSinh' => birth($citizen['dateOfBirth']),
    ], fn ($value) => $value !== null);
}

$context = stream_context_create();
$client = new SoapClient($demo['soapUrl'] . '?wsdl', [
    'stream_context' => $context,
    'cache_wsdl' => WSDL_CACHE_NONE,
    'exceptions' => true,
    'trace' => true,
    'features' => SOAP_SINGLE_ELEMENT_ARRAYS,
]);

$call = function (string $code, string $operation, string $service, array $citizen,
    array $changes = [], array $soap = []) use ($systems, $client, $context) {
    $system = $systems[$code];
    stream_context_set_option($context, 'http', 'header', signed($soap + $system['soap']));
    return $client->$operation(request($system, $service, $citizen, $changes));
};

function same(mixed $expected, mixed $found): void
{
    if ($expected !== $found) {
        throw new RuntimeException('expected ' . json_encode($expected) . ', found '
            . json_encode($found));
    }
}

function status(SoapClient $client): string
{
    return explode(' ', $client->__getLastResponseHeaders() ?? '')[1] ?? '';
}

$checks = [
    'verify: the person exists' => function () use ($call, $person) {
        $answer = $call('ONESTOP', 'XacThucThongTinCongDan', 'citizen.verify', $person);
        same(true, $answer->TonTai);
        same('1', (string) $answer->SoLuongCongDan);
    },
    'verify: nobody has this id' => function () use ($call, $person) {
        $answer = $call('ONESTOP', 'XacThucThongTinCongDan', 'citizen.verify', $person,
            ['SoDinhDanh' => '099099999999']);
        same(false, $answer->TonTai);
        same('0', (string) $answer->SoLuongCongDan);
    },
    'look-up gives the person' => function () use ($call, $person) {
        $answer = $call('ONESTOP', 'TraCuuThongTinCongDan', 'citizen.lookup', $person);
        same(1, count($answer->CongDan));
        same($person['personalId'], $answer->CongDan[0]->SoDinhDanh);
        same(str_replace('-', '', $person['dateOfBirth']),
            $answer->CongDan[0]->NgayThangNamSinh->NgayThangNam);
    },
    'look-up of nobody is empty and no fault' => function () use ($call, $client, $person) {
        $answer = $call('ONESTOP', 'TraCuuThongTinCongDan', 'citizen.lookup', $person,
            ['SoDinhDanh' => '099099999999']);
        same([], (array) ($answer->CongDan ?? []));
        same('200', status($client));
    },
    'head of household' => function () use ($call, $people) {
        $known = fn ($c) => isset($people[$c['householdHead'] ?? '']);
        $citizen = array_values(array_filter($people, $known))[0];
        $head = $people[$citizen['householdHead']];
        $answer = $call('ONESTOP', 'XacMinhThongTinChuHo', 'relation.verify', $citizen, [
            'NguoiLienQuan' => [
                'SoDinhDanh' => $head['personalId'],
                'HoVaTen' => $head['fullName'],
                'NgayThangNamSinh' => birth($head['dateOfBirth']),
            ],
        ]);
        same(true, $answer->KhopDuLieu);
    },
    'a list is asked for, made and read' => function () use ($call, $person) {
        $nobody = ['SoDinhDanh' => null, 'HoVaTen' => null, 'NgayThangNamSinh' => null];
        $ask = fn (string $operation, array $changes) =>
            $call('BIG', $operation, 'citizen.list', $person, $changes + $nobody);
        $list = $ask('CungCapDanhSachTheoNhomMau', ['NhomMau' => '03']);
        $job = ['MaCongViec' => $list->CongViec->MaCongViec];
        for ($tries = 0; ; $tries++) {
            $now = $ask('GetRequestStatus', $job)->CongViec->TrangThai;
            if ($now === 'HOAN_THANH') {
                break;
            }
            if ($tries >= 300) {
                throw new RuntimeException($now);
            }
            usleep(100_000);
        }
        $page = $ask('GetResultDetailAsRecords', $job + ['SoBanGhi' => 5]);
        same(5, count($page->CongDan));
        same('03', $page->CongDan[0]->NhomMau);
        $file = $ask('GetResultDetailAsFile', $job);
        same('row,result,', substr($file->NoiDung, 0, 11));
    },
    'a refusal is a fault with rule and correlation id' => function () use ($call, $client, $person) {
        try {
            $call('VERIFYONLY', 'TraCuuThongTinCongDan', 'citizen.lookup', $person);
        } catch (SoapFault $fault) {
            same('500', status($client));
            same(1, preg_match('/ruleId>A4</', $client->__getLastResponse()));
            same(1, preg_match('/code>004</', $client->__getLastResponse()));
            same(true, isset($fault->detail));
            return;
        }
        throw new RuntimeException('was answered');
    },
    'a wrong secret is 401' => function () use ($call, $client, $person) {
        try {
            $call('ONESTOP', 'XacThucThongTinCongDan', 'citizen.verify', $person, [],
                ['secret' => str_repeat('x', 32)]);
        } catch (SoapFault) {
            same('401', status($client));
            return;
        }
        throw new RuntimeException('was answered');
    },
];

$failed = 0;
foreach ($checks as $name => $check) {
    try {
        $check();
        echo "ok   $name\n";
    } catch (Throwable $error) {
        $failed++;
        echo "FAIL $name: {$error->getMessage()}\n";
    }
}
printf("%d passed, %d failed\n", count($checks) - $failed, $failed);
exit($failed === 0 ? 0 : 1);
