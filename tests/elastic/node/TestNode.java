package org.elasticsearch.node;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.cjk.CJKBigramFilter;
import org.apache.lucene.analysis.cn.smart.SmartChineseAnalyzer;
import org.apache.lucene.analysis.en.EnglishPossessiveFilter;
import org.apache.lucene.analysis.en.PorterStemFilter;
import org.apache.lucene.analysis.icu.ICUFoldingFilter;
import org.apache.lucene.analysis.miscellaneous.ASCIIFoldingFilter;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.KeyStoreWrapper;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.http.HttpServerTransport;
import org.elasticsearch.index.analysis.PreBuiltAnalyzerProviderFactory;
import org.elasticsearch.index.analysis.PreConfiguredTokenFilter;
import org.elasticsearch.index.analysis.TokenFilterFactory;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.elasticsearch.indices.analysis.PreBuiltCacheFactory.CachingStrategy;
import org.elasticsearch.plugins.AnalysisPlugin;
import org.elasticsearch.plugins.MockPluginsService;
import org.elasticsearch.plugins.Plugin;
import org.elasticsearch.plugins.PluginsLoader;
import org.elasticsearch.plugins.PluginsService;
import org.elasticsearch.transport.netty4.Netty4Plugin;
import org.elasticsearch.xpack.core.XPackPlugin;
import org.elasticsearch.xpack.security.Security;

/**
 * A real Elasticsearch node in one JVM, made of the vendor's own jars.
 *
 * <p>Arguments: HOME and options: "chinese" for the analysers of the Chinese and ICU plugins,
 * "security" for security and licence, with PASSWORD of the user elastic. It binds a free port of
 * 127.0.0.1, prints it when HTTP is up, and stops when its stdin closes, so that it cannot outlive
 * the tests. It is in the vendor's package because the constructor that takes plugins from the
 * class path is package-private.
 */
public class TestNode extends Node {

    /** Of the superuser `elastic`; tests/elastic_node.py has it too. */
    private static final String PASSWORD = "elastic-password";

    /** What we use of the module analysis-common, which is not on Maven Central. */
    public static class Common extends Plugin implements AnalysisPlugin {
        @Override
        public List<PreConfiguredTokenFilter> getPreConfiguredTokenFilters() {
            return List.of(
                    PreConfiguredTokenFilter.singleton(
                            "asciifolding", true, ASCIIFoldingFilter::new),
                    PreConfiguredTokenFilter.singleton("cjk_bigram", false, CJKBigramFilter::new),
                    PreConfiguredTokenFilter.singleton("porter_stem", false, PorterStemFilter::new));
        }

        @Override
        public Map<String, AnalysisProvider<TokenFilterFactory>> getTokenFilters() {
            return Map.of(
                    "stemmer",
                    (indexSettings, environment, name, settings) ->
                            new TokenFilterFactory() {
                                @Override
                                public String name() {
                                    return name;
                                }

                                @Override
                                public TokenStream create(TokenStream stream) {
                                    return switch (settings.get("language", "porter")) {
                                        case "porter" -> new PorterStemFilter(stream);
                                        case "possessive_english" ->
                                                new EnglishPossessiveFilter(stream);
                                        default -> throw new IllegalArgumentException("not here");
                                    };
                                }
                            });
        }
    }

    /** What we use of the plugins analysis-smartcn and analysis-icu, not on Maven Central either. */
    public static class Chinese extends Plugin implements AnalysisPlugin {
        @Override
        public List<PreBuiltAnalyzerProviderFactory> getPreBuiltAnalyzerProviderFactories() {
            return List.of(
                    new PreBuiltAnalyzerProviderFactory(
                            "smartcn", CachingStrategy.ONE, SmartChineseAnalyzer::new));
        }

        @Override
        public List<PreConfiguredTokenFilter> getPreConfiguredTokenFilters() {
            return List.of(
                    PreConfiguredTokenFilter.singleton("icu_folding", true, ICUFoldingFilter::new));
        }
    }

    private static class ClassPathPlugins extends NodeServiceProvider {
        private final List<Class<? extends Plugin>> plugins =
                new ArrayList<>(List.of(Netty4Plugin.class, Common.class));

        ClassPathPlugins(List<String> options) {
            if (options.contains("chinese")) {
                plugins.add(Chinese.class);
            }
            if (options.contains("security")) {
                plugins.add(XPackPlugin.class);
                plugins.add(Security.class);
            }
        }

        @Override
        PluginsService newPluginService(Environment environment, PluginsLoader loader) {
            return new MockPluginsService(environment.settings(), environment, plugins);
        }
    }

    private TestNode(Environment environment, List<String> options) {
        super(
                NodeConstruction.prepareConstruction(
                        environment, null, new ClassPathPlugins(options), true));
    }

    /** Turns security on, which brings a transport of its own. */
    private static void secure(Settings.Builder settings) throws Exception {
        KeyStoreWrapper secrets = KeyStoreWrapper.create();
        secrets.setString("bootstrap.password", PASSWORD.toCharArray());
        settings.setSecureSettings(secrets).put("xpack.security.enabled", true);
    }

    public static void main(String[] arguments) throws Exception {
        Path home = Path.of(arguments[0]);
        List<String> options = List.of(arguments).subList(1, arguments.length);
        LogConfigurator.configureESLogging();
        Settings.Builder settings =
                Settings.builder()
                        .put("path.home", home.toString())
                        .put("cluster.name", "hoptree-tests")
                        .put("discovery.type", "single-node")
                        .put("network.host", "127.0.0.1")
                        .put("http.port", "0")
                        .put("transport.port", "0")
                        .put("node.processors", 2)
                        .put("cluster.routing.allocation.disk.threshold_enabled", false);
        if (options.contains("security")) {
            secure(settings);
        } else {
            settings.put("http.type", "netty4").put("transport.type", "netty4");
        }
        Environment environment =
                InternalSettingsPreparer.prepareEnvironment(
                        settings.build(), Map.of(), home.resolve("config"), () -> "test-node");
        try (TestNode node = new TestNode(environment, options)) {
            node.start();
            HttpServerTransport http = node.injector().getInstance(HttpServerTransport.class);
            int port = http.boundAddress().publishAddress().getPort();
            System.out.println(port);
            while (System.in.read() >= 0) {}
        }
        System.exit(0);
    }
}
